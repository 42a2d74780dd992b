#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Build the program whose source is the tar archive $source into $out.
set -eu
tar -xf "$source"
cd hello-*
./configure --prefix="$out"
make
make install
