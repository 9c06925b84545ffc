"""What machines take: complete, audited plans in a directory with one pointer, and by MQTT."""
