// SPDX-License-Identifier: GPL-3.0-or-later
// Stateful C++ objects that Scheme holds: a database, a hash in progress.
//
// Used only where plain data will not do.  A handle is closed explicitly; the
// finalizer merely frees memory and descriptors of one that was forgotten.  A
// handle serves one thread at a time: a second one gets EBUSY instead of a
// race.
#pragma once

#include "scheme/boundary.hh"

#include <atomic>
#include <memory>

namespace fruix::scheme {

template <class T> class handle_type
{
public:
  // NAME must outlive the process: "database".
  explicit constexpr handle_type (const char *name) noexcept : name_ {name} {}

  // Wrap OBJECT, which the new handle owns.
  SCM
  wrap (std::unique_ptr<T> &object) const
  {
    auto *cell = new (std::nothrow) struct cell;
    if (!cell)
      raise (make_fault (name_, "", ENOMEM));
    cell->object = std::move (object);
    return scm_make_foreign_object_1 (type (), cell);
  }

  // The object behind HANDLE, held by the current dynwind context; an error
  // if it is closed, in use by another thread, or not of this type.
  T &
  hold (SCM handle) const
  {
    // Guile's own check asks GOOPS about subclasses, of which there are none.
    if (!SCM_STRUCTP (handle)
        || !scm_is_eq (SCM_STRUCT_VTABLE (handle), type ()))
      scm_wrong_type_arg_msg (nullptr, 0, handle, name_);
    auto *cell = static_cast<struct cell *> (scm_foreign_object_ref (handle,
                                                                     0));
    if (cell->busy.test_and_set ())
      raise (make_fault (name_, "in use by another thread", EBUSY));
    scm_dynwind_unwind_handler (
        [] (void *pointer)
          { static_cast<struct cell *> (pointer)->busy.clear (); },
        cell, SCM_F_WIND_EXPLICITLY);
    if (!cell->object)
      raise (make_fault (name_, "closed", EBADF));
    return *cell->object;
  }

  // Close HANDLE, which 'hold' returned an object for in this dynwind context.
  void
  close (SCM handle) const
  {
    static_cast<struct cell *> (scm_foreign_object_ref (handle, 0))
        ->object.reset ();
  }

private:
  struct cell
  {
    std::unique_ptr<T> object;
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
  };

  SCM
  type () const
  {
    static SCM type = scm_permanent_object (scm_make_foreign_object_type (
        scm_from_utf8_symbol (name_),
        scm_list_1 (scm_from_utf8_symbol ("cell")),
        [] (SCM handle)
          {
            delete static_cast<struct cell *> (
                scm_foreign_object_ref (handle, 0));
          }));
    return type;
  }

  const char *name_;
};

}
