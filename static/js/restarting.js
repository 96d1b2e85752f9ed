// Asks whether what was restarted is there again, then goes on; the address may be another one by then.
const page = document.querySelector("[data-comes-back]");

async function look() {
  try {
    const answer = await fetch(location.href, {
      redirect: "manual",
      cache: "no-store",
      headers: { "X-Automatic": "1" },
    });
    if (answer.type === "opaqueredirect") {
      location.replace(page.dataset.comesBack);
      return;
    }
  } catch {
    if (page.dataset.elsewhere) {
      location.replace(page.dataset.elsewhere);
      return;
    }
  }
  setTimeout(look, 1500);
}

if (page) setTimeout(look, 1500);
