"""The shapes in which Concord answers programs: plain marshmallow schemas that only dump and parse."""
