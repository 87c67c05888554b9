#!/bin/sh
# The applets beside the table of what their callers expect; no network.
set -u
command -v python3 >/dev/null || exit 77
folder=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-applets.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
tests=${top_srcdir:?}/tests

# The lines that we tell are lines as they are told.
python3 "$tests/it/fake_status.py" >"$folder/lines" || exit 1
if python3 -c 'import jsonschema' 2>/dev/null; then
	python3 "$tests/style/schema.py" \
	    "$top_srcdir/supervisor/status/status.schema.json" \
	    "$folder/lines" || exit 1
fi
python3 "$tests/it/applets_table.py" \
    "${top_builddir:?}/portcullis-applets" "$folder"
