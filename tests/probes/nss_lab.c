// SPDX-License-Identifier: GPL-2.0-or-later
// libnss_lab.so.2, a directory service for nsswitch.conf(5) that knows the user "carol" and the
// group "crowd", number 64102 each, while the file LAB_DIRECTORY (of the compiler's -D) is there.
// Otherwise nobody answers it.
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static const int kNumber = 64102;

static enum nss_status absent(int* error) {
  if (access(LAB_DIRECTORY, F_OK) == 0) {
    return NSS_STATUS_NOTFOUND;
  }
  *error = ECONNREFUSED;
  return NSS_STATUS_UNAVAIL;
}

enum nss_status _nss_lab_getpwnam_r(const char* name, struct passwd* entry, char* buffer,
                                    size_t size, int* error) {
  static char text[] = "carol\0x\0\0/\0/bin/sh";
  if (strcmp(name, "carol") != 0 || access(LAB_DIRECTORY, F_OK) != 0) {
    return absent(error);
  }
  if (size < sizeof text) {
    *error = ERANGE;
    return NSS_STATUS_TRYAGAIN;
  }
  memcpy(buffer, text, sizeof text);
  entry->pw_name = buffer;
  entry->pw_passwd = buffer + 6;
  entry->pw_gecos = buffer + 8;
  entry->pw_dir = buffer + 9;
  entry->pw_shell = buffer + 11;
  entry->pw_uid = kNumber;
  entry->pw_gid = kNumber;
  return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_lab_getgrnam_r(const char* name, struct group* entry, char* buffer,
                                    size_t size, int* error) {
  static char text[] = "crowd\0x";
  if (strcmp(name, "crowd") != 0 || access(LAB_DIRECTORY, F_OK) != 0) {
    return absent(error);
  }
  // As with so many members that a small buffer does not take them.
  const size_t members = 200000;
  if (size < sizeof text + sizeof(char*) || size < members) {
    *error = ERANGE;
    return NSS_STATUS_TRYAGAIN;
  }
  memset(buffer, 0, sizeof(char*));
  entry->gr_mem = (char**)(void*)buffer;
  entry->gr_name = memcpy(buffer + sizeof(char*), text, sizeof text);
  entry->gr_passwd = entry->gr_name + 6;
  entry->gr_gid = kNumber;
  return NSS_STATUS_SUCCESS;
}
