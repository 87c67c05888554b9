#!/bin/sh
# The applets beside the table of what their callers expect; no network.
set -u
command -v python3 >/dev/null || exit 77
folder=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-applets.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
python3 "${top_srcdir:?}/tests/it/applets_table.py" \
    "${top_builddir:?}/portcullis-applets" "$folder"
