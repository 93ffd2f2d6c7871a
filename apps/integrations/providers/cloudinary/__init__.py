"""Cloudinary: files and pictures."""
