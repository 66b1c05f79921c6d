"""Where: the Flask application, its sign-in, command line, migrations and embedded servers."""
