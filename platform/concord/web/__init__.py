"""The site: pages, sign-in, security headers, error pages and signs of life."""

from concord.web.app import create_app

__all__ = ["create_app"]
