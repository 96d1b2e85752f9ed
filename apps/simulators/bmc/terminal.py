"""The serial console of a simulated machine: what it says while it boots, a login, and a small shell."""

from collections.abc import Callable

from apps.simulators.bmc import shell
from apps.simulators.bmc.machine import Handle, Happening, Machine, Started, Switched

PASSWORD = "secret"  # noqa: S105 - of whoever signs in, on a machine that does not exist
_DEVICES = {1: "PXE: NIC1 (IPv4)", 2: "disk 1", 5: "CD-ROM", 6: "Setup", 15: "USB"}
_ENTER, _ERASE, _INTERRUPT, _END, _KILL = frozenset(b"\r\n"), frozenset(b"\x7f\x08"), 0x03, 0x04, 0x15
_LONGEST = 256


class Terminal:
    """The far end of the serial line. ``hear`` takes what it says; nobody hears what it says before."""

    def __init__(self, machine: Machine, password: str = PASSWORD) -> None:
        self.machine = machine
        self.hear: Callable[[bytes], None] = lambda said: None
        self._password = password
        self._timers: list[Handle] = []
        self._line = bytearray()
        self._user = ""
        self._asks = "login"  # login, password, shell; nothing while it does not run
        self._after_break = False
        self._unwatch = machine.watch(self._happened)

    def close(self) -> None:
        """Let go of the machine."""
        self._unwatch()
        self._stop()

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._line.clear()
        self._user = self._asks = ""

    def _say(self, text: str) -> None:
        self.hear(text.replace("\n", "\r\n").encode())

    # --- the machine --------------------------------------------------------------------------------------------------

    def _happened(self, machine: Machine, happening: Happening) -> None:
        if isinstance(happening, Switched) and not happening.on:
            self._say("\n[  OK  ] Reached target poweroff.target - System Power Off.\nreboot: Power down\n")
            self._stop()
        elif isinstance(happening, Started):
            self._stop()
            lines = self._boot_text(happening.device)
            for place, line in enumerate(lines):
                at = machine.pace.boot * place / len(lines)
                self._timers.append(machine.later(at, lambda line=line: self._say(line)))  # type: ignore[misc]
            self._timers.append(machine.later(machine.pace.boot, self._ask_for_login))

    def _boot_text(self, device: int) -> list[str]:
        place, kernel = _DEVICES.get(device, "disk 1"), self.machine.product.kernel
        return [
            "\n\033[2J\033[HSystem BIOS 2.0.1  Copyright (C) 2026\n",
            f"{self.machine.product.model}, serial number {self.machine.serial}\n",
            "2 processors, 64 GiB of memory\n",
            f"Booting from {place} ...\n",
            f"Loading Linux {kernel} ...\nLoading initial ramdisk ...\n",
            f"[    0.000000] Linux version {kernel}\n[    0.000000] Command line: console=ttyS0,115200n8\n",
            "[    0.914220] EXT4-fs (sda2): mounted filesystem with ordered data mode\n",
            "[    1.482911] systemd[1]: Hostname set to <" + self.machine.name + ">.\n",
            "[  OK  ] Mounted boot.mount - /boot.\n",
            "[  OK  ] Started systemd-journald.service - Journal Service.\n",
            "[  OK  ] Reached target network.target - Network.\n",
            "[  OK  ] Started snmpd.service - SNMP Daemon.\n",
            "[  OK  ] Started ssh.service - OpenBSD Secure Shell server.\n",
            "[  OK  ] Reached target multi-user.target - Multi-User System.\n",
        ]

    # --- whoever types ------------------------------------------------------------------------------------------------

    def type(self, keys: bytes) -> None:
        """Take what somebody types."""
        for key in keys:
            if not self._asks:
                continue
            if self._after_break:
                self._after_break = False
                self._system_request(chr(key))
            elif key in _ENTER:
                self._enter()
            elif key in _ERASE:
                if self._line:
                    del self._line[-1]
                    self._echo(b"\b \b")
            elif key == _INTERRUPT:
                self._line.clear()
                self._echo(b"^C")
                self._prompt(new_line=True)
            elif key == _KILL:
                self._echo(b"\b \b" * len(self._line))
                self._line.clear()
            elif key == _END and not self._line:
                self._leave()
            elif key >= 0x20 and len(self._line) < _LONGEST:
                self._line.append(key)
                self._echo(bytes((key,)))

    def take_break(self) -> None:
        """Take a break: the next key is a request to the kernel."""
        self._after_break = bool(self._asks)

    def _system_request(self, key: str) -> None:
        if key == "b":
            self._say("\nsysrq: Resetting\n")
            self.machine.restart()
        else:
            self._say("\nsysrq: HELP : reboot(b) help(h)\n")
            self._prompt()

    def _echo(self, said: bytes) -> None:
        if self._asks != "password":
            self.hear(said)

    def _ask_for_login(self) -> None:
        self._user, self._asks = "", "login"
        self._say(f"\n{self.machine.product.system} {self.machine.name} ttyS0\n\n")
        self._prompt()

    def _prompt(self, *, new_line: bool = False) -> None:
        prompts = {
            "login": f"{self.machine.name} login: ",
            "password": "Password: ",
            "shell": f"{self._user}@{self.machine.name}:~$ ",
        }
        self._say(("\n" if new_line else "") + prompts.get(self._asks, ""))

    def _enter(self) -> None:
        line = self._line.decode("utf-8", "replace")
        self._line.clear()
        self._say("\n")
        if self._asks == "login":
            if line.strip():
                self._user, self._asks = line.strip(), "password"
        elif self._asks == "password":
            if line == self._password:
                self._asks = "shell"
                self._say(shell.version(self.machine))
            else:
                self._say("\nLogin incorrect\n")
                self._user, self._asks = "", "login"
        else:
            words = line.split()
            if words[:1] in (["exit"], ["logout"]):
                self._leave()
                return
            if words:
                self._say(shell.answer(self.machine, self._user, words))
        self._prompt()

    def _leave(self) -> None:
        if self._asks == "shell":
            self._say("logout\n")
        self._ask_for_login()
