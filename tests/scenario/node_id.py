"""Ids of nodes of the DHT (BEP 42)."""
import ipaddress
import os

MASKS = {4: bytes.fromhex('030f3fff'), 16: bytes.fromhex('0103070f1f3f7fff')}


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def that_follows_from(address):
    node_id, packed = bytearray(os.urandom(20)), ipaddress.ip_address(address).packed
    part = bytearray(byte & mask for byte, mask in zip(packed, MASKS[len(packed)]))
    part[0] |= (node_id[19] & 7) << 5
    crc = crc32c(part)
    node_id[0], node_id[1], node_id[2] = crc >> 24, crc >> 16 & 255, crc >> 8 & 0xf8 | node_id[2] & 7
    return bytes(node_id)
