// SPDX-License-Identifier: GPL-3.0-or-later
// An assembler for filters of system calls, to be run by the compiler: a
// child has no memory to assemble one in.
//
// A filter looks at one word at a time, the one loaded last.  Arguments are
// 64 bits wide, but of all but pointers only their lower halves are looked at.
// That is all that the kernel itself sees of those that are at most 32 bits
// wide for it, and a bit that is set there cannot be hidden by others in the
// upper half.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <linux/filter.h>
#include <linux/seccomp.h>

namespace fruix {

class filter
{
public:
  constexpr void load_architecture ()
  {
    load (offsetof (seccomp_data, arch));
  }
  constexpr void load_number () { load (offsetof (seccomp_data, nr)); }
  constexpr void load_argument (int i)
  {
    load (offset_of_argument (i));
  }
  constexpr void load_upper_half (int i)
  {
    load (offset_of_argument (i) + sizeof (std::uint32_t));
  }

  // Keep only the bits of MASK of the word.
  constexpr void mask (std::uint32_t mask)
  {
    add (BPF_ALU | BPF_AND | BPF_K, mask);
  }

  // The end: the call takes place, or fails with ERROR, or only seems to have
  // taken place.
  constexpr void allow () { add (BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  constexpr void refuse (int error)
  {
    add (BPF_RET | BPF_K,
         SECCOMP_RET_ERRNO | static_cast<std::uint32_t> (error));
  }
  constexpr void pretend () { refuse (0); }

  // What BODY adds is for words that are VALUE.
  constexpr void when (std::uint32_t value, auto body)
  {
    add (BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    auto to_end = jump ();
    body ();
    land (to_end);
  }

  // What HIGH adds is for words from VALUE on, what LOW adds for others; both
  // end.
  constexpr void split (std::uint32_t value, auto high, auto low)
  {
    add (BPF_JMP | BPF_JGE | BPF_K, value, 1, 0);
    auto to_low = jump ();
    high ();
    land (to_low);
    low ();
  }

  constexpr void allow_without (std::uint32_t bits)
  {
    add (BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0);
    allow ();
  }
  constexpr void refuse_with (std::uint32_t bits, int error)
  {
    add (BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    refuse (error);
  }
  constexpr void
  refuse_all_but (std::initializer_list<std::uint32_t> values, int error)
  {
    auto left = static_cast<std::uint8_t> (values.size ());
    for (auto value : values)
      add (BPF_JMP | BPF_JEQ | BPF_K, value, left--, 0);
    refuse (error);
  }

  // To pass to seccomp (2), which only reads it.
  sock_fprog program () const noexcept
  {
    return {static_cast<unsigned short> (size_),
            const_cast<sock_filter *> (code_.data ())};
  }

private:
  static_assert (std::endian::native == std::endian::little,
                 "arguments begin with their lower half");

  static constexpr std::size_t offset_of_argument (int i)
  {
    return offsetof (seccomp_data, args)
           + static_cast<unsigned> (i) * sizeof (std::uint64_t);
  }
  constexpr void load (std::size_t offset)
  {
    add (BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t> (offset));
  }
  // Jump to where the result lands: the only kind of jump that is not limited
  // to 255 instructions.
  constexpr std::size_t jump ()
  {
    add (BPF_JMP | BPF_JA, 0);
    return size_;
  }
  constexpr void land (std::size_t jump)
  {
    code_[jump - 1].k = static_cast<std::uint32_t> (size_ - jump);
  }
  constexpr void add (int code, std::uint32_t k,
                      std::uint8_t if_true = 0, std::uint8_t if_false = 0)
  {
    code_[size_++]
        = {static_cast<std::uint16_t> (code), if_true, if_false, k};
  }

  std::array<sock_filter, 1024> code_ {};
  std::size_t size_ = 0;
};

}
