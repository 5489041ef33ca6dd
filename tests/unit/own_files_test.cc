// SPDX-License-Identifier: GPL-2.0-or-later
// What a provider's file can make root read: every directive that names a file, with everything
// that its author can write behind it.
#include "profiles/own_files.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helper/base/unique_fd.h"
#include "profiles/base/error.h"
#include "profiles/openvpn_config.h"
#include "profiles/openvpn_directives.h"
#include "profiles/openvpn_inline.h"
#include "profiles/profile_store.h"

namespace vpnrun::profile {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "secret-4711";

std::string pem_of(const std::string& label) {
  return "-----BEGIN " + label + "-----\nTUlJ\n-----END " + label + "-----\n";
}

/// One of each kind.
const std::string& all_kinds() {
  static const std::string all = pem_of("CERTIFICATE") + pem_of("PRIVATE KEY") +
                                 pem_of("X509 CRL") + pem_of("OpenVPN Static key V1") +
                                 pem_of("OpenVPN tls-crypt-v2 client key");
  return all;
}
std::string pkcs12() {
  return "\x30\x0F\x02\x01\x03\x30\x0A\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01"s;
}

std::vector<std::string> directives_with_a_file() {
  std::vector<std::string> names;
  for (const Directive& directive : all_directives()) {
    switch (directive.treatment) {
      case Treatment::kPem:
      case Treatment::kPemDirection:
      case Treatment::kPemNumber:
      case Treatment::kPemCookie:
      case Treatment::kPkcs12:
      case Treatment::kAuthUserPass:
        names.emplace_back(directive.name);
        break;
      default:
        break;
    }
  }
  return names;
}

std::string good_content(const std::string& directive) {
  return directive == "pkcs12"           ? pkcs12()
         : directive == "auth-user-pass" ? std::string(kSecret) + "\n" + kSecret + "\n"
                                         : all_kinds();
}

class OwnFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    struct stat root {};
    ASSERT_EQ(::stat("/", &root), 0);
    if (root.st_uid != 0 && root.st_uid != ::geteuid()) {
      GTEST_SKIP() << "the root directory belongs to nobody here; run outside a user namespace";
    }
    std::string name = (fs::temp_directory_path() / "vpnrun-own-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    top_ = name;
    folder_ = top_ / "profiles";
    fs::create_directory(folder_);
    profile("work", "config = \"work.ovpn\"");
    write("work.ovpn", "");
  }
  void TearDown() override {
    if (!top_.empty()) {
      fs::remove_all(top_);
    }
  }

  void write(const fs::path& name, const std::string& text, mode_t mode = 0600) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  void profile(const std::string& name, const std::string& keys) const {
    write(name + ".toml", "[tunnel]\ntype = \"openvpn\"\n" + keys + "\n");
  }

  [[nodiscard]] ConfigurationPlace place() const {
    return {"work", folder_.string(), (folder_ / configuration_).string()};
  }

  /// The error of the whole way: parser, reader, kind.
  [[nodiscard]] Error error_of(const std::string& directive, const std::string& name) const {
    OwnFiles own(place());
    const auto read = [&own](std::string_view by, const std::string& file) {
      return own.read(by, file);
    };
    try {
      const auto config = parse_openvpn_config(
          "remote a\n" + rest_ + directive + " \"" + name + "\"\n", place().configuration, read);
      own.check_authority(config.text);
      if (!config.user_pass_file.empty()) {
        (void)parse_login_file(read(directive, config.user_pass_file), config.user_pass_file);
      }
    } catch (const Error& error) {
      return error;
    }
    return Error("no error");
  }

  /// Refused for every directive; with a reason that matches, without a byte of the file, and
  /// without the advice to open it to anybody.
  template <class Matcher>
  void expect_refused(const std::string& name, const Matcher& reason) const {
    for (const std::string& directive : directives_with_a_file()) {
      const Error error = error_of(directive, name);
      EXPECT_THAT(error.what(), reason) << directive << ' ' << name;
      EXPECT_THAT(error.what(), Not(AnyOf(HasSubstr(kSecret), HasSubstr("TUlJ"))));
      EXPECT_THAT(error.hint(), Not(AnyOf(HasSubstr("chmod"), HasSubstr("chown")))) << directive;
    }
  }
  /// Accepted for every directive, with a content that it takes.
  void expect_accepted(const std::string& name, const fs::path& file) const {
    for (const std::string& directive : directives_with_a_file()) {
      write(file, good_content(directive));
      EXPECT_STREQ(error_of(directive, name).what(), "no error") << directive << ' ' << name;
    }
  }

  fs::path top_;
  fs::path folder_;
  std::string configuration_ = "work.ovpn";
  std::string rest_;  ///< of the configuration: in front
};

TEST_F(OwnFilesTest, AreNamedByAsManyDirectivesAsWeKnow) {
  EXPECT_THAT(directives_with_a_file(),
              ::testing::UnorderedElementsAre("ca", "cert", "key", "extra-certs", "crl-verify",
                                              "tls-crypt", "tls-crypt-v2", "tls-auth", "secret",
                                              "pkcs12", "auth-user-pass"));
}

TEST_F(OwnFilesTest, AreAllThatIsEverRead) {
  for (const Directive& directive : all_directives()) {
    const auto names = directives_with_a_file();
    const std::string name(directive.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      continue;
    }
    for (const std::string& line :
         {name + " /etc/shadow", name + " x /etc/shadow",
          formatted("<{0}>\n/etc/shadow\n</{0}>", name), "setenv opt " + name + " /etc/shadow"}) {
      bool has_read = false;
      try {
        const auto config = parse_openvpn_config("remote a\n" + line + "\n", "/p/x.ovpn",
                                                 [&has_read](auto, const auto&) {
                                                   has_read = true;
                                                   return std::string();
                                                 });
        EXPECT_EQ(config.user_pass_file, "") << line;
      } catch (const Error&) {
        EXPECT_FALSE(has_read) << line;
      }
      EXPECT_FALSE(has_read) << line;
    }
  }
}

TEST_F(OwnFilesTest, LieBesideTheConfigurationOrBelow) {
  expect_accepted("a.file", "a.file");
  expect_accepted("./a.file", "a.file");
  expect_accepted("my keys/a file", "my keys/a file");
  expect_accepted("work.file", "work.file");
  expect_accepted((folder_ / "a.file").string(), "a.file");
}

TEST_F(OwnFilesTest, AreReadableByNobodyElseIfTheyAreSecret) {
  for (const std::string& directive : directives_with_a_file()) {
    const bool is_secret = directive == "auth-user-pass" || directive == "key" ||
                           directive == "pkcs12" || directive == "secret" ||
                           directive == "tls-crypt-v2";
    for (const mode_t mode : {0644U, 0640U, 0604U}) {
      write("a.file", good_content(directive), mode);
      EXPECT_THAT(error_of(directive, "a.file").what(),
                  is_secret ? ::testing::Matcher<const char*>(
                                  HasSubstr("users other than its owner can read the file"))
                            : ::testing::Matcher<const char*>(::testing::StrEq("no error")))
          << directive << ' ' << mode;
    }
    write("a.file", good_content(directive), 0400);
    EXPECT_STREQ(error_of(directive, "a.file").what(), "no error") << directive;
  }
}

TEST_F(OwnFilesTest, ALoginThatIsNotThereIsSaidWithALineAndAWay) {
  const Error error = error_of("auth-user-pass", "login.conf");
  EXPECT_THAT(error.what(), HasSubstr("login.conf': No such file or directory"));
  EXPECT_THAT(error.hint(), HasSubstr("'credentials' in [tunnel] of"));
}

TEST_F(OwnFilesTest, LieNowhereElse) {
  const std::string outside = (top_ / "outside").string();
  std::ofstream(outside) << kSecret << '\n' << kSecret << '\n' << all_kinds();
  fs::create_directory(folder_ / "empty");
  write("ca.crt", all_kinds());
  for (const std::string& name : {"../outside"s, "empty/../../outside"s, "./../outside"s, ".."s,
                                  folder_.string() + "/../outside", "empty/../ca.crt"s}) {
    expect_refused(name, HasSubstr("'..' leads out of the folder"));
  }
  for (const std::string& name : {outside, "/etc/shadow"s, "/dev/zero"s, "/proc/self/environ"s,
                                  "//etc/shadow"s, folder_.string() + "-2/ca.crt"}) {
    expect_refused(name, HasSubstr("lies outside of the folder of the configuration"));
  }
  expect_refused("", HasSubstr("not the name of a file"));
  expect_refused("empty/", HasSubstr("not the name of a file"));
}

TEST_F(OwnFilesTest, AreReachedByNoLink) {
  std::ofstream(top_ / "outside") << kSecret << '\n' << kSecret << '\n' << all_kinds();
  write("ca.crt", all_kinds());
  fs::create_symlink("../outside", folder_ / "link");
  fs::create_symlink("ca.crt", folder_ / "link-inside");
  fs::create_symlink("..", folder_ / "folder");
  fs::create_symlink("nowhere", folder_ / "broken");
  for (const char* name : {"link", "link-inside", "folder/outside", "broken"}) {
    expect_refused(name, HasSubstr("it is a symbolic link"));
  }
  EXPECT_THAT(error_of("ca", "link").hint(), HasSubstr("put a copy"));
  EXPECT_THAT(error_of("auth-user-pass", "link").hint(), HasSubstr("'credentials' in [tunnel]"));
}

TEST_F(OwnFilesTest, HaveOneName) {
  std::ofstream(top_ / "outside") << kSecret << '\n' << kSecret << '\n' << all_kinds();
  fs::permissions(top_ / "outside", fs::perms::owner_read);
  fs::create_hard_link(top_ / "outside", folder_ / "second");
  expect_refused("second", HasSubstr("has a second name"));
}

TEST_F(OwnFilesTest, AreNoFoldersPipesAndSocketsAndTheseAreNeverOpened) {
  fs::create_directory(folder_ / "folder");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  write("file", all_kinds());
  const UniqueFd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const auto has_been_opened = [&watch] {
    std::array<char, 4096> events{};
    return ::read(watch.get(), events.data(), events.size()) > 0;
  };
  for (const char* name : {"folder", "fifo", "file"}) {
    ASSERT_GE(::inotify_add_watch(watch.get(), (folder_ / name).c_str(), IN_OPEN), 0);
  }
  expect_refused("folder", HasSubstr("not a regular file"));
  expect_refused("fifo", HasSubstr("not a regular file"));
  EXPECT_FALSE(has_been_opened());
  EXPECT_STREQ(error_of("ca", "file").what(), "no error");
  EXPECT_TRUE(has_been_opened()) << "the control";
}

TEST_F(OwnFilesTest, AreNoDevices) {
  if (::mknod((folder_ / "device").c_str(), S_IFCHR | 0600, makedev(1, 5)) != 0) {
    // Without the right to make one: what is in /dev is not to be named anyway.
    expect_refused("/dev/zero", HasSubstr("lies outside"));
    return;
  }
  expect_refused("device", HasSubstr("not a regular file"));
}

TEST_F(OwnFilesTest, AreNoOtherProfiles) {
  const std::string content = kSecret + "\n"s + kSecret + "\n" + all_kinds();
  profile("home", "config = \"home.ovpn\"\ncredentials = \"secret.login\"");
  profile("away", "config = \"provider/se.ovpn\"");
  for (const char* name :
       {"home.ovpn", "home.auth", "home.key", "secret.login", "home/login", ".home.auth.swp",
        "#home.auth#", "home.auth~", "provider/se.ovpn", "provider/login", "provider/keys/a"}) {
    write(name, content);
    expect_refused(name, AnyOf(HasSubstr("belongs to the profile 'home'"),
                               HasSubstr("belongs to the profile 'away'")));
  }
  for (const char* name : {"home.toml", "work.toml", "Upper.toml", "keys/x.toml"}) {
    write(name, content);
    expect_refused(name, HasSubstr("it is a profile"));
  }
  // What begins alike is not the same.
  expect_accepted("homely.login", "homely.login");
  expect_accepted("homely/login", "homely/login");
}

TEST_F(OwnFilesTest, AreNoOtherProfilesUnderAnotherName) {
  write("secret.login", kSecret + "\n"s + kSecret + "\n");
  fs::create_directory(folder_ / "folder");
  profile("home", "config = \"home.ovpn\"\ncredentials = \"folder/../secret.login\"");
  expect_refused("secret.login", HasSubstr("belongs to the profile 'home'"));
  fs::create_hard_link(folder_ / "secret.login", folder_ / "second");
  expect_refused("second", HasSubstr("belongs to the profile 'home'"));
}

TEST_F(OwnFilesTest, AreNoOtherProfilesEvenIfThatCannotBeParsed) {
  write("secret.login", kSecret + "\n"s + kSecret + "\n");
  for (const char* text :
       {"[tunnel]\nconfig = \"x.ovpn\"\ncredentials = \"secret.login\"\nnonsense = 1\n",
        "[tunnel\ncredentials = 'secret.login'\n", "'a\n\"\"\"secret.login\"\"\""}) {
    write("broken.toml", text);
    expect_refused("secret.login", HasSubstr("belongs to the profile 'broken'"));
  }
  fs::remove(folder_ / "broken.toml");
  EXPECT_STREQ(error_of("auth-user-pass", "secret.login").what(), "no error") << "the control";
}

TEST_F(OwnFilesTest, AreNoLoginOfAnotherConfiguration) {
  const std::string login = kSecret + "\n"s + kSecret + "\n";
  write("login", login);
  profile("home", "config = \"home.ovpn\"");
  for (const char* line :
       {"auth-user-pass login", "--auth-user-pass './login'", "setenv opt auth-user-pass login",
        "askpass login", "\xFF\nauth-user-pass login"}) {
    write("home.ovpn", "client\n"s + line + "\n");
    expect_refused("login", HasSubstr("belongs to the profile 'home'"));
  }
  write("home.ovpn", "client\nca ca.crt\nkey client.key\ncrl-verify login\n");
  EXPECT_STREQ(error_of("auth-user-pass", "login").what(), "no error") << "the control";
}

TEST_F(OwnFilesTest, AreKeysOfAnotherConfigurationOnlyForTheSameAuthority) {
  write("ca.crt", all_kinds());
  write("other.crt", all_kinds());
  write("c.key", all_kinds());
  profile("home", "config = \"home.ovpn\"");
  const std::vector<std::string> keys = {"cert",      "key",          "extra-certs", "tls-auth",
                                         "tls-crypt", "tls-crypt-v2", "secret"};
  const std::string block = "<ca>\n" + pem_of("CERTIFICATE") + "</ca>\n";
  for (const std::string& named : keys) {
    write("home.ovpn", "ca ca.crt\n" + named + " c.key\n");
    rest_ = "ca ./ca.crt\n";
    EXPECT_STREQ(error_of("key", "c.key").what(), "no error") << named;
    EXPECT_THAT(error_of("auth-user-pass", "c.key").what(), HasSubstr("belongs to the profile"));
    for (const std::string& rest :
         {""s, "ca other.crt\n"s, "ca ca.crt\nca other.crt\n"s, "ca other.crt\nca ca.crt\n"s,
          "ca ca.crt\n" + block, block,
          "<tls-auth>\nca ca.crt\n" + pem_of("OpenVPN Static key V1") + "</tls-auth>\n"}) {
      rest_ = rest;
      for (const std::string& directive : keys) {
        EXPECT_THAT(error_of(directive, "c.key").what(), HasSubstr("belongs to the profile 'home'"))
            << rest << directive;
      }
      EXPECT_STREQ(error_of("crl-verify", "c.key").what(), "no error");
    }
  }
  rest_ = "ca ca.crt\n";
  for (const std::string& other : {"ca ca.crt\n" + block, "ca ca.crt\nca other.crt\n"s, block}) {
    write("home.ovpn", other + "key c.key\n");
    EXPECT_THAT(error_of("key", "c.key").what(), HasSubstr("belongs to the profile 'home'"));
  }
}

TEST_F(OwnFilesTest, AreSharedByTheProfilesOfOneConfiguration) {
  configuration_ = "home.ovpn";
  profile("work", "config = \"home.ovpn\"");
  profile("home", "config = \"home.ovpn\"");
  write("home.ovpn", "auth-user-pass login\nca home.crt\n");
  expect_accepted("login", "login");
  expect_accepted("home.crt", "home.crt");
  profile("home", "config = \"home.ovpn\"\ncredentials = \"login\"");
  expect_refused("login", HasSubstr("belongs to the profile 'home'"));
}

TEST_F(OwnFilesTest, AreSharedByTheConfigurationsOfAFolderOfTheirOwn) {
  configuration_ = "provider/no.ovpn";
  profile("work", "config = \"provider/no.ovpn\"");
  profile("home", "config = \"provider/se.ovpn\"");
  write("provider/se.ovpn", "auth-user-pass login\nca ca.crt\n");
  expect_accepted("login", "provider/login");
  expect_refused("../home.auth", HasSubstr("'..'"));
  expect_refused("se.ovpn", HasSubstr("belongs to the profile 'home'"));
}

TEST_F(OwnFilesTest, OfAConfigurationOutsideLieBesideItAndAreNotHidden) {
  fs::create_directories(top_ / "elsewhere" / "below");
  configuration_ = "../elsewhere/work.ovpn";
  write("../elsewhere/ca.crt", all_kinds());
  write("../elsewhere/.netrc", kSecret + "\n"s + kSecret + "\n" + all_kinds());
  write("../elsewhere/below/x", all_kinds());
  write("../elsewhere/login", kSecret + "\n"s + kSecret + "\n");
  EXPECT_STREQ(error_of("ca", "ca.crt").what(), "no error");
  expect_refused(".netrc", AnyOf(HasSubstr("is hidden"), HasSubstr("lies outside of")));
  expect_refused("below/x", AnyOf(HasSubstr("beside the conf"), HasSubstr("lies outside of")));
  const Error error = error_of("auth-user-pass", "login");
  EXPECT_THAT(error.what(), HasSubstr("the configuration lies outside of"));
  EXPECT_THAT(error.hint(), HasSubstr("'credentials' in [tunnel] of " + folder_.string()));
}

TEST_F(OwnFilesTest, AreOfTheKindThatIsAskedFor) {
  struct Row {
    const char* directive;
    std::string content;
  };
  const std::string login = kSecret + "\n"s + kSecret + "\n";
  const std::vector<std::string> others = {login, "", "[Interface]\nPrivateKey = x\nAddress = y\n",
                                           pem_of("OPENSSH PRIVATE KEY"), "\x30\x03\x02\x01\x03"s};
  const std::string certificate = pem_of("CERTIFICATE");
  const std::string key = pem_of("PRIVATE KEY");
  const std::string ta = pem_of("OpenVPN Static key V1");
  const std::vector<Row> rows = {{"ca", key + ta},
                                 {"cert", key + ta + pem_of("X509 CRL")},
                                 {"extra-certs", key + ta},
                                 {"key", certificate + ta},
                                 {"crl-verify", certificate + key},
                                 {"tls-auth", certificate + key},
                                 {"tls-crypt", certificate + key},
                                 {"secret", certificate + key},
                                 {"tls-crypt-v2", ta + pem_of("OpenVPN tls-crypt-v2 server key")},
                                 {"pkcs12", certificate + key},
                                 {"auth-user-pass", key},
                                 {"auth-user-pass", "a\nb\nc\n"},
                                 {"auth-user-pass", "root:*:1:0:::::\nbin:*:1:0:::::\nx:\n"},
                                 {"auth-user-pass", "a\nb\n" + key}};
  for (const Row& row : rows) {
    write("x", row.content);
    const Error error = error_of(row.directive, "x");
    EXPECT_THAT(error.what(), AnyOf(HasSubstr("it has no "), HasSubstr("it is not a "),
                                    HasSubstr("it has a key"), HasSubstr("more than two lines")))
        << row.directive;
    EXPECT_THAT(error.what(), Not(HasSubstr("TUlJ"))) << row.directive;
  }
  for (const std::string& directive : directives_with_a_file()) {
    for (const std::string& content : others) {
      if (directive == "auth-user-pass" && content == login) {
        continue;
      }
      write("x", content);
      const Error error = error_of(directive, "x");
      EXPECT_STRNE(error.what(), "no error") << directive;
      EXPECT_THAT(error.what(), Not(HasSubstr(kSecret))) << directive;
    }
  }
}

TEST_F(OwnFilesTest, HandOnNothingOfAnotherKind) {
  write("x", all_kinds());
  OwnFiles own(place());
  for (const auto& [directive, label] : std::vector<std::pair<std::string, std::string>>{
           {"cert", "CERTIFICATE"},
           {"key", "PRIVATE KEY"},
           {"crl-verify", "X509 CRL"},
           {"tls-auth", "OpenVPN Static key V1"},
           {"tls-crypt-v2", "OpenVPN tls-crypt-v2 client key"}}) {
    EXPECT_EQ(pem_content(own.read(directive, "x"), directive), pem_of(label));
  }
  EXPECT_EQ(pem_content(all_kinds(), "ca"), pem_of("CERTIFICATE") + pem_of("X509 CRL"));
}

TEST_F(OwnFilesTest, HideNoKeyInACertificate) {
  const std::string head = "-----BEGIN CERTIFICATE-----\n";
  for (const std::string& text : {head + pem_of("PRIVATE KEY") + "-----END CERTIFICATE-----\n",
                                  head + "TUlJ\n-----END PRIVATE KEY-----\n"}) {
    EXPECT_THROW((void)pem_content(text, "cert"), Error) << text;
  }
}

TEST_F(OwnFilesTest, OfTheMachineArePublicAuthoritiesOnly) {
  const std::string bundle = "/etc/ssl/certs/ca-certificates.crt";
  if (::access(bundle.c_str(), R_OK) == 0) {
    EXPECT_STREQ(error_of("ca", bundle).what(), "no error");
  }
  for (const char* name : {"/etc/ssl/certs/../private/key.pem", "/etc/ssl/private/key.pem",
                           "/etc/ssl/certs-2/x", "/etc/ssl/certs"}) {
    EXPECT_THAT(error_of("ca", name).what(),
                AnyOf(HasSubstr("lies outside"), HasSubstr("'..' leads out")));
  }
  for (const std::string& directive : directives_with_a_file()) {
    if (directive != "ca") {
      EXPECT_THAT(error_of(directive, bundle).what(), HasSubstr("lies outside")) << directive;
    }
  }
}

TEST_F(OwnFilesTest, NameTheCureForALoginThatIsMissing) {
  const Error error = error_of("auth-user-pass", "login.conf");
  EXPECT_THAT(error.what(), HasSubstr("No such file"));
  EXPECT_EQ(error.hint(),
            "put user name and password into a file of this profile's own, and name it by "
            "'credentials' in [tunnel] of " +
                (folder_ / "work.toml").string());
}

TEST_F(OwnFilesTest, AreNotForOthersToReadIfTheyAreALogin) {
  write("login", kSecret + "\n"s + kSecret + "\n", 0644);
  EXPECT_THAT(error_of("auth-user-pass", "login").what(), HasSubstr("can read the file"));
}

}  // namespace
}  // namespace vpnrun::profile
