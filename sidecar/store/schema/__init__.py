"""Tables, fields, migrations, and repair of a damaged database."""
