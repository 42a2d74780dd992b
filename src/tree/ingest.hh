// SPDX-License-Identifier: GPL-3.0-or-later
// Taking over what a builder left: check, make canonical, hash, find
// references and share, in one pass.
#pragma once

#include "archive/digester.hh"
#include "base/outcome.hh"
#include "tree/ownership.hh"

namespace fruix {

struct ingested
{
  tree_summary summary;
  std::vector<std::string> references;
};

// Ingest the tree NAME in DIRECTORY, whose files must be OWNER's.  SHARED is
// the directory of shared files, or -1.
outcome<ingested> ingest_tree (int directory, const std::string &name,
                               int shared, const digester_options &options,
                               ownership &owner);

}
