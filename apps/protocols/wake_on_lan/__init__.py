"""Wakes machines over the network: the magic packet, and how it is sent."""

from apps.protocols.wake_on_lan.packet import BadAddress, magic_packet
from apps.protocols.wake_on_lan.sending import send

__all__ = ["BadAddress", "magic_packet", "send"]
