// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/hash.hh"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace fruix {

static constexpr struct
{
  std::string_view name;
  int algorithm;
} algorithms[] = {
  {"md5", GCRY_MD_MD5},           {"sha1", GCRY_MD_SHA1},
  {"sha256", GCRY_MD_SHA256},     {"sha512", GCRY_MD_SHA512},
  {"sha3-256", GCRY_MD_SHA3_256}, {"sha3-512", GCRY_MD_SHA3_512},
  {"blake2s-256", GCRY_MD_BLAKE2S_256},
};

int
hash_algorithm (std::string_view name) noexcept
{
  for (auto &row : algorithms)
    if (row.name == name)
      return row.algorithm;
  return 0;
}

// libgcrypt wants to be initialised once in a process, by whoever is first.
static bool
initialise_gcrypt () noexcept
{
  if (gcry_control (GCRYCTL_INITIALIZATION_FINISHED_P))
    return true;
  if (!gcry_check_version (nullptr))
    return false;
  gcry_control (GCRYCTL_DISABLE_SECMEM, 0);
  gcry_control (GCRYCTL_INITIALIZATION_FINISHED, 0);
  return true;
}

hasher::hasher (int algorithm)
{
  static const bool ready = initialise_gcrypt ();
  gcry_md_hd_t handle;
  if (!ready || gcry_md_open (&handle, algorithm, 0))
    throw std::system_error {ENOTSUP, std::generic_category (), "hash"};
  handle_.reset (handle);
}

hasher::hasher (const hasher &other)
{
  gcry_md_hd_t handle;
  if (gcry_md_copy (&handle, other.handle_.get ()))
    throw std::system_error {ENOMEM, std::generic_category (), "hash"};
  handle_.reset (handle);
}

void
hasher::closer::operator() (gcry_md_handle *handle) const noexcept
{
  gcry_md_close (handle);
}

void
hasher::update (std::span<const std::uint8_t> bytes) noexcept
{
  gcry_md_write (handle_.get (), bytes.data (), bytes.size ());
}

digest
hasher::finish () noexcept
{
  digest result;
  int algorithm = gcry_md_get_algo (handle_.get ());
  result.size = gcry_md_get_algo_dlen (algorithm);
  std::memcpy (result.storage.data (),
               gcry_md_read (handle_.get (), algorithm), result.size);
  return result;
}

void
hasher::reset () noexcept
{
  gcry_md_reset (handle_.get ());
}

}
