// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/os/folder_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "helper/base/open_at.h"
#include "profiles/base/error.h"
#include "systemd/service/os/log.h"

namespace vpnrun::service {
namespace {

/// The first change is reported at once, those that follow within this time together: each report
/// is a wakeup, whatever it brings.
constexpr std::chrono::milliseconds kGather{10};

UniqueFd take_folder_signal() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGIO);
  // There is only one thread: sigprocmask(2) does the same as pthread_sigmask(3).
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) {  // NOLINT(concurrency-mt-unsafe)
    throw_errno("cannot set up signals");
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.ok()) {
    throw_errno("cannot set up signals");
  }
  return fd;
}

bool is_same_folder(const UniqueFd& a, const UniqueFd& b) {
  FileId id_a;
  FileId id_b;
  return file_id(a.get(), id_a) && file_id(b.get(), id_b) && id_a == id_b;
}

}  // namespace

FolderWatch::FolderWatch(EventLoop& loop, std::function<void()> on_news)
    : loop_(loop), on_news_(std::move(on_news)), signals_(take_folder_signal()) {
  listen();
}

void FolderWatch::listen() {
  gathering_.reset();
  watch_ = loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) > 0) {
    }
    watch_.reset();
    gathering_ = loop_.after(kGather, [this] { listen(); });
    on_news_();
  });
}

void FolderWatch::watch(const std::string& path, std::uint32_t events) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) {
    if (errno != ENOENT && errno != ENOTDIR) {
      refused(path, errno);
    }
    folders_.erase(path);
    return;
  }
  const auto known = folders_.find(path);
  if (known != folders_.end() && is_same_folder(known->second, folder)) {
    return;
  }
  // Without F_SETSIG the signal is a plain SIGIO, which is pending once or not at all: it cannot be
  // lost because a queue is full.
  if (::fcntl(folder.get(), F_NOTIFY, static_cast<unsigned long>(events | DN_MULTISHOT)) != 0) {
    refused(path, errno);
  }
  folders_.insert_or_assign(path, std::move(folder));
}

void FolderWatch::refused(const std::string& path, int error) {
  if (std::exchange(paced_, true)) {
    return;
  }
  log::info("the kernel does not report changes in '{}' ({}): looking for them every {} ms", path,
            std::generic_category().message(error), kPace.count());
  pace();
}

void FolderWatch::pace() {
  pace_ = loop_.after(kPace, [this] {
    pace();
    on_news_();
  });
}

}  // namespace vpnrun::service
