// SPDX-License-Identifier: GPL-3.0-or-later
// What a program sees in its sandbox on Linux: one "KEY: VALUE" a line.
// Statically linked, so that the sandbox can be empty otherwise.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <net/if.h>
#include <netinet/in.h>
#include <sstream>
#include <string>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

static void
report (const std::string &key, const std::string &value)
{
  std::printf ("%s: %s\n", key.c_str (), value.c_str ());
}

// The name of the error of a call that returned RESULT.
static std::string
verdict (long result)
{
  return result < 0 ? strerrorname_np (errno) : "done";
}

static std::string
octal (mode_t mode)
{
  char text[16];
  std::snprintf (text, sizeof text, "%04o", mode & 07777);
  return text;
}

static std::vector<std::string>
entries (const char *directory)
{
  std::vector<std::string> names;
  if (DIR *stream = ::opendir (directory))
    {
      while (auto *entry = ::readdir (stream))
        if (std::strcmp (entry->d_name, ".")
            && std::strcmp (entry->d_name, ".."))
          names.push_back (entry->d_name);
      ::closedir (stream);
    }
  std::sort (names.begin (), names.end ());
  return names;
}

static std::string
join (const std::vector<std::string> &words)
{
  std::string result;
  for (auto &word : words)
    result += (result.empty () ? "" : " ") + word;
  return result;
}

static std::string
contents (const std::string &file)
{
  std::ifstream stream {file};
  std::stringstream text;
  text << stream.rdbuf ();
  auto result = text.str ();
  for (std::size_t at; (at = result.find ('\n')) != std::string::npos;)
    result.replace (at, 1, "|");
  return result;
}

// What FILE is: type, mode, owner, and what is special about its type.
static std::string
describe (const std::string &file)
{
  struct stat stat;
  if (::lstat (file.c_str (), &stat) < 0)
    return strerrorname_np (errno);
  if (S_ISLNK (stat.st_mode))
    {
      char target[4096];
      auto length = ::readlink (file.c_str (), target, sizeof target);
      return "-> " + std::string (target, length < 0 ? 0 : length);
    }
  if (S_ISCHR (stat.st_mode))
    return "device " + std::to_string (major (stat.st_rdev)) + " "
           + std::to_string (minor (stat.st_rdev));
  return (S_ISDIR (stat.st_mode) ? "directory " : "file ")
         + octal (stat.st_mode);
}

static void
report_identity ()
{
  uid_t u[3];
  gid_t g[3], groups[64];
  ::getresuid (&u[0], &u[1], &u[2]);
  ::getresgid (&g[0], &g[1], &g[2]);
  int count = ::getgroups (64, groups);
  std::vector<std::string> names;
  for (int i = 0; i < count; i++)
    names.push_back (std::to_string (groups[i]));
  report ("uids", std::to_string (u[0]) + " " + std::to_string (u[1]) + " "
                      + std::to_string (u[2]));
  report ("gids", std::to_string (g[0]) + " " + std::to_string (g[1]) + " "
                      + std::to_string (g[2]));
  report ("groups", join (names));
  report ("pid", std::to_string (::getpid ()));
  report ("parent", std::to_string (::getppid ()));
  report ("session", std::to_string (::getsid (0)));
  report ("terminal", verdict (::open ("/dev/tty", O_RDWR)));
}

static void
report_attributes ()
{
  mode_t mask = ::umask (0);
  ::umask (mask);
  report ("umask", octal (mask));
  struct utsname name;
  ::uname (&name);
  report ("host name", name.nodename);
  report ("domain name", name.domainname);
  char text[4096];
  report ("directory", ::getcwd (text, sizeof text) ? text : "?");
  std::snprintf (text, sizeof text, "%x", ::personality (0xffffffff));
  report ("personality", text);
  report ("oom score", contents ("/proc/self/oom_score_adj"));
  struct rlimit limit;
  ::getrlimit (RLIMIT_CORE, &limit);
  report ("core limit", std::to_string (limit.rlim_cur) + " "
                            + std::to_string (limit.rlim_max));
  int signal = 0;
  ::prctl (PR_GET_PDEATHSIG, &signal);
  report ("death signal", std::to_string (signal));
  std::ifstream status {"/proc/self/status"};
  for (std::string line; std::getline (status, line);)
    for (auto *key : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                      "NoNewPrivs", "SigBlk", "SigIgn"})
      if (line.starts_with (std::string {key} + ":"))
        report (key, line.substr (line.find ('\t') + 1));
}

static void
report_descriptors ()
{
  report ("descriptors", [] {
    std::vector<std::string> open;
    for (int fd = 0; fd < 1024; fd++)
      if (::fcntl (fd, F_GETFD) >= 0)
        open.push_back (std::to_string (fd));
    return join (open);
  }());
  struct stat in, null, out, error;
  ::fstat (0, &in);
  ::stat ("/dev/null", &null);
  ::fstat (1, &out);
  ::fstat (2, &error);
  report ("input is /dev/null", in.st_rdev == null.st_rdev ? "yes" : "no");
  report ("input mode",
          (::fcntl (0, F_GETFL) & O_ACCMODE) == O_RDWR ? "read-write" : "?");
  report ("output and error are one",
          out.st_ino == error.st_ino && out.st_dev == error.st_dev ? "yes"
                                                                   : "no");
}

static void
report_tree ()
{
  report ("/", join (entries ("/")));
  report ("/ itself", describe ("/"));
  for (std::string directory : {"/dev", "/etc", "/gnu", "/gnu/store", "/tmp",
                                "/dev/shm", "/dev/pts", "/proc"})
    {
      report (directory, describe (directory));
      if (directory != "/proc" && directory != "/gnu/store")
        report ("in " + directory, join (entries (directory.c_str ())));
    }
  for (auto &name : entries ("/dev"))
    report ("/dev/" + name, describe ("/dev/" + name));
  for (auto &name : entries ("/etc"))
    report ("/etc/" + name,
            describe ("/etc/" + name) + " " + contents ("/etc/" + name));
}

static void
report_processes ()
{
  std::vector<std::string> processes;
  for (auto &name : entries ("/proc"))
    if (std::isdigit (static_cast<unsigned char> (name[0])))
      processes.push_back (name);
  report ("processes", join (processes));
  char target[256];
  for (std::string name : {"cgroup", "ipc", "mnt", "net", "pid", "time",
                           "user", "uts"})
    {
      auto length = ::readlink (("/proc/self/ns/" + name).c_str (), target,
                                sizeof target);
      report ("namespace " + name,
              std::string (target, length < 0 ? 0 : length));
    }
}

// Mount points that are not read-only are told by a '*'.
static void
report_mounts ()
{
  std::vector<std::string> mounts;
  std::ifstream stream {"/proc/self/mountinfo"};
  for (std::string line; std::getline (stream, line);)
    {
      std::istringstream fields {line};
      std::string skip, point, options;
      fields >> skip >> skip >> skip >> skip >> point >> options;
      bool read_only = options.starts_with ("ro");
      mounts.push_back (point + (read_only ? "" : "*"));
    }
  std::sort (mounts.begin (), mounts.end ());
  report ("mounts", join (mounts));
}

static long
connect_to (const char *address)
{
  int fd = ::socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in to {};
  to.sin_family = AF_INET;
  to.sin_port = htons (1);
  ::inet_pton (AF_INET, address, &to.sin_addr);
  long result
      = ::connect (fd, reinterpret_cast<struct sockaddr *> (&to), sizeof to);
  int error = errno;
  ::close (fd);
  errno = error;
  return result;
}

static void
report_network ()
{
  std::vector<std::string> names;
  if (auto *interfaces = ::if_nameindex ())
    for (auto *one = interfaces; one->if_index; one++)
      names.push_back (one->if_name);
  report ("interfaces", join (names));
  report ("connect to 127.0.0.1", verdict (connect_to ("127.0.0.1")));
  report ("connect to 192.0.2.1", verdict (connect_to ("192.0.2.1")));
}

int
main (int argc, char **argv)
{
  report_descriptors ();
  report ("arguments", join ({argv, argv + argc}));
  std::vector<std::string> environment;
  for (char **variable = environ; *variable; variable++)
    environment.push_back (*variable);
  report ("environment", join (environment));
  report_identity ();
  report_attributes ();
  report_tree ();
  report_processes ();
  report_mounts ();
  report_network ();
}
