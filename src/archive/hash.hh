// SPDX-License-Identifier: GPL-3.0-or-later
// Hashes of byte streams: libgcrypt's message digests as values.
#pragma once

#include <array>
#include <cstdint>
#include <gcrypt.h>
#include <memory>
#include <span>
#include <string_view>

namespace fruix {

struct digest
{
  std::array<std::uint8_t, 64> storage {};
  std::size_t size = 0;

  std::span<const std::uint8_t>
  bytes () const noexcept
  {
    return std::span {storage}.first (size);
  }
};

// libgcrypt's number for the algorithm that the store calls NAME, or 0.
int hash_algorithm (std::string_view name) noexcept;

// A hash in progress.
class hasher
{
public:
  // Throws std::system_error for an algorithm that libgcrypt lacks.
  explicit hasher (int algorithm);
  // One that goes on from where OTHER, not finished yet, is.
  explicit hasher (const hasher &other);
  hasher (hasher &&) = default;

  void update (std::span<const std::uint8_t> bytes) noexcept;
  // The digest of all bytes since construction or 'reset'; no 'update' after.
  digest finish () noexcept;
  void reset () noexcept;

private:
  struct closer
  {
    void operator() (gcry_md_handle *handle) const noexcept;
  };
  std::unique_ptr<gcry_md_handle, closer> handle_;
};

}
