// SPDX-License-Identifier: GPL-2.0-or-later
// A plugin of OpenVPN (openvpn-plugin.h, interface 1) that writes down, in hexadecimal, the words
// of its own line and the variables of `setenv`: exactly what OpenVPN made of a file. Given kStop
// as its first word, it refuses to start, which ends OpenVPN before it has made a device or a
// socket.
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char kStop[] = "end-of-the-differential-check";

static void show(const char* kind, const char* const* texts) {
  for (; *texts != NULL; ++texts) {
    printf("@%s ", kind);
    for (const char* c = *texts; *c != '\0'; ++c) {
      printf("%02x", (unsigned)(unsigned char)*c);
    }
    putchar('\n');
  }
}

void* openvpn_plugin_open_v1(unsigned* type_mask, const char* argv[], const char* envp[]) {
  static char handle;
  *type_mask = 0;
  if (argv[0] != NULL && argv[1] != NULL && strcmp(argv[1], kStop) == 0) {
    show("variable", envp);
    puts("@end");
    fflush(stdout);
    return NULL;
  }
  puts("@line");
  show("word", argv);
  fflush(stdout);
  return &handle;
}

int openvpn_plugin_func_v1(void* handle, int type, const char* argv[], const char* envp[]) {
  (void)handle;
  (void)type;
  (void)argv;
  (void)envp;
  return 1;
}

void openvpn_plugin_close_v1(void* handle) {
  (void)handle;
}
