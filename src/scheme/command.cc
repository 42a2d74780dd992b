// SPDX-License-Identifier: GPL-3.0-or-later
// A command: the procedure main of the module (fruix scripts COMMAND), as a
// program.  A script would be seen as its interpreter; but programs that list
// processes look for a daemon by the name that it was called by.
#include <cstdlib>
#include <clocale>
#include <libguile.h>

static SCM
lookup (const char *name)
{
  return scm_c_public_lookup ("guile", name);
}

static void
prepend (const char *path, const char *directory)
{
  SCM variable = lookup (path);
  scm_variable_set_x (variable, scm_cons (scm_from_utf8_string (directory),
                                          scm_variable_ref (variable)));
}

static void
run (void *, int, char **)
{
  scm_variable_set_x (lookup ("%load-should-auto-compile"), SCM_BOOL_F);
  // 'pre-inst-env' has set the paths of the build tree.
  if (!std::getenv ("FRUIX_EXTENSION_DIRECTORY"))
    {
      prepend ("%load-path", MODULE_DIRECTORY);
      prepend ("%load-compiled-path", OBJECT_DIRECTORY);
    }
  SCM main = scm_c_public_ref ("fruix scripts " COMMAND, "main");
  SCM status = scm_call_1 (main, scm_cdr (scm_program_arguments ()));
  std::exit (scm_to_int (status));
}

int
main (int argc, char **argv)
{
  // As the program 'guile' does: names and messages are text of the locale.
  std::setlocale (LC_ALL, "");
  scm_boot_guile (argc, argv, run, nullptr);
}
