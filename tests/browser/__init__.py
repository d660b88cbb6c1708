"""What people see in a browser; needs Chromium and its driver (Debian: `apt install chromium chromium-driver`)."""
