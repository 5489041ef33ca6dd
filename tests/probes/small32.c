// SPDX-License-Identifier: GPL-2.0-or-later
// small32: a 32-bit x86 program without a C library, so that nothing but a compiler is
// needed: cc -m32 -ffreestanding -nostdlib -static -fno-stack-protector -fno-pie -no-pie.
// It makes sockets as Debian's C library for such programs does, by socketcall(2): one of each of
// some families, and over the first it asks 203.0.113.10 for a page.

static long call3(long number, long first, long second, long third) {
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(first), "c"(second), "d"(third)
                   : "memory");
  return result;
}

static long socketcall(long what, const unsigned* arguments) {
  return call3(102, what, (long)arguments, 0);
}

static void say(const char* text) {
  unsigned length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  call3(4, 1, (long)text, (long)length);
}

static void say_of_family(const char* name, unsigned family, unsigned kind) {
  const unsigned arguments[3] = {family, kind, 0};
  const long result = socketcall(1, arguments);
  say(name);
  say(result >= 0 ? " made\n" : result == -97 ? " refused\n" : " other\n");
}

void _start(void) {
  static const unsigned char web[16] = {2, 0, 0, 80, 203, 0, 113, 10};  // AF_INET, port 80
  static char text[512];
  const unsigned make[3] = {2, 1, 0};
  say_of_family("unix", 1, 1);
  say_of_family("vsock", 40, 1);
  const long fd = socketcall(1, make);
  const unsigned connect[3] = {(unsigned)fd, (unsigned)web, sizeof web};
  if (fd < 0) {
    say("inet refused\n");
  } else if (socketcall(3, connect) != 0) {
    say("inet unreachable\n");
  } else {
    call3(4, fd, (long)"GET / HTTP/1.0\r\n\r\n", 18);
    for (long size; (size = call3(3, fd, (long)text, sizeof text)) > 0;) {
      call3(4, 1, (long)text, size);
    }
  }
  call3(1, 0, 0, 0);
  __builtin_unreachable();
}
