// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd/service/idle_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "helper/base/open_at.h"
#include "profiles/base/error.h"

namespace vpnrun::service {
namespace {

using std::chrono::milliseconds;

constexpr int kLooks = 4;
/// Looking through /proc costs a millisecond or two on a machine with many processes.
constexpr milliseconds kLongestPause{30'000};

bool is_child_of_ours(const std::string& process) {
  std::ifstream status(formatted("/proc/{}/status", process));
  const std::string own = std::to_string(::getpid());
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kParent = "PPid:\t";
    if (line.starts_with(kParent)) {
      return line.substr(kParent.size()) == own;
    }
  }
  return false;
}

/// Whether `matches` accepts a name in `folder` that is a number; false if the folder is gone.
bool any_number_in(const std::string& folder,
                   const std::function<bool(const std::string&)>& matches) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  while (const dirent* entry =
             directory ? ::readdir(directory.get()) : nullptr) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = static_cast<const char*>(entry->d_name);
    if (name.find_first_not_of("0123456789") == std::string::npos && matches(name)) {
      return true;
    }
  }
  return false;
}

}  // namespace

IdleWatch::IdleWatch(EventLoop& loop, std::chrono::seconds limit, std::function<bool()> is_used,
                     std::function<void()> on_idle)
    : loop_(loop),
      limit_(limit),
      is_used_(std::move(is_used)),
      on_idle_(std::move(on_idle)),
      unused_since_(EventLoop::Clock::now()) {
  look();
}

void IdleWatch::look() {
  const auto now = EventLoop::Clock::now();
  if (is_used_()) {
    unused_since_ = now;
  } else if (now - unused_since_ >= limit_) {
    unused_since_ = now;
    on_idle_();
  }
  timer_ = loop_.after(std::min<milliseconds>(milliseconds(limit_) / kLooks, kLongestPause),
                       [this] { look(); });
}

bool is_inhabited(int netns) {
  FileId wanted;
  if (!file_id(netns, wanted) || ::access("/proc/self", F_OK) != 0) {
    return true;
  }
  enum class Place : std::uint8_t { kInside, kElsewhere, kNone };
  const auto place_of = [&wanted](const std::string& folder) {
    struct stat found {};
    if (::stat((folder + "/ns/net").c_str(), &found) != 0) {
      return errno == ENOENT ? Place::kNone : Place::kElsewhere;
    }
    return FileId{found.st_dev, found.st_ino} == wanted ? Place::kInside : Place::kElsewhere;
  };
  return any_number_in("/proc", [&place_of](const std::string& process) {
    const std::string folder = "/proc/" + process;
    Place place = place_of(folder);
    // The process is gone, or a zombie; or only its main thread is, and other threads go on.
    if (place == Place::kNone && any_number_in(folder + "/task", [&](const std::string& thread) {
          return place_of(formatted("{}/task/{}", folder, thread)) == Place::kInside;
        })) {
      place = Place::kInside;
    }
    return place == Place::kInside && !is_child_of_ours(process);
  });
}

}  // namespace vpnrun::service
