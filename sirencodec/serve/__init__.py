"""An image server: `.siren` files of a folder by the IIIF Image API, and pages to look at them.

URL -> request (``iiif``) -> file (``folder``, ``stored``) -> pixels (``render``) -> answer
(``service``, ``pages``). What the extra ``serve`` brings is imported by ``app``, ``service``,
``pages`` and ``run`` alone.
"""
