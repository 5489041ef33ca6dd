// SPDX-License-Identifier: GPL-2.0-or-later
// A companion lives for weeks. What it reads, parses and hands on leaves copies in the buffers of
// libraries, which know nothing of Secret, above all in those of the JSON parser. So all memory is
// overwritten when it is freed. This file is part of the program and not of a library, because a
// sanitizer has an allocator of its own.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

void give_back(void* memory) noexcept {
  if (memory != nullptr) {
    // More than was asked for: keeps a compiler that recognizes the allocation from objecting.
    asm volatile("" : "+r"(memory));
    ::explicit_bzero(memory, ::malloc_usable_size(memory));
    std::free(memory);
  }
}

}  // namespace

// operator new stays the library's own, which takes its memory from malloc(3): [new.delete.single].
// NOLINTBEGIN(cert-dcl54-cpp,misc-new-delete-overloads)
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  give_back(memory);
}
// NOLINTEND(cert-dcl54-cpp,misc-new-delete-overloads)
