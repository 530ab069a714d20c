#include "accounts/letters.h"

namespace shop::accounts {
namespace {

Letter letter(const std::string& to, core::Language language, Letter vietnamese, Letter english) {
  auto chosen = language == core::Language::kVietnamese ? std::move(vietnamese) : std::move(english);
  chosen.to = to;
  chosen.words +=
      language == core::Language::kVietnamese ? "\n\nKim Hoàn Bến Thuyền\n" : "\n\nBến Thuyền Jewellers\n";
  return chosen;
}

}  // namespace

Letter confirm_letter(const std::string& to, const std::string& link, core::Language language) {
  return letter(
      to, language,
      {"", "Xác nhận tài khoản của bạn",
       "Bạn vừa đăng ký tài khoản tại tiệm. Mở liên kết này và nhập mật khẩu bạn đã chọn để hoàn tất "
       "(trong 24 giờ):\n\n" +
           link + "\n\nNếu bạn không đăng ký, xin bỏ qua thư này: không có tài khoản nào được tạo."},
      {"", "Confirm your account",
       "You have just signed up at our shop. Open this link and enter the password you chose (within 24 "
       "hours):\n\n" +
           link + "\n\nIf it was not you, ignore this letter: no account is made."});
}

Letter known_letter(const std::string& to, const std::string& link, core::Language language) {
  return letter(
      to, language,
      {"", "Bạn đã có tài khoản",
       "Có người vừa đăng ký bằng địa chỉ này, nhưng bạn đã có tài khoản tại tiệm. Nếu quên mật khẩu, hãy "
       "đặt "
       "lại ở đây:\n\n" +
           link},
      {"", "You have an account already",
       "Somebody has just signed up with this address, but you have an account at our shop. If you forgot "
       "its password, set a new one here:\n\n" +
           link});
}

Letter reset_letter(const std::string& to, const std::string& link, core::Language language) {
  return letter(to, language,
                {"", "Đặt lại mật khẩu",
                 "Mở liên kết này để đặt mật khẩu mới. Liên kết dùng được một lần, trong 30 phút:\n\n" +
                     link + "\n\nNếu bạn không yêu cầu, xin bỏ qua thư này: mật khẩu vẫn như cũ."},
                {"", "Set a new password",
                 "Open this link to set a new password. It works once, for 30 minutes:\n\n" + link +
                     "\n\nIf it was not you, ignore this letter: your password stays as it is."});
}

Letter password_changed_letter(const std::string& to, core::Language language) {
  return letter(
      to, language,
      {"", "Mật khẩu đã được đổi",
       "Mật khẩu tài khoản của bạn vừa được đổi và mọi phiên đăng nhập khác đã kết thúc. Nếu không phải bạn, "
       "hãy đặt lại mật khẩu ngay và gọi cho tiệm."},
      {"", "Your password was changed",
       "The password of your account has just been changed, and every other session has ended. If it was "
       "not you, set a new one at once and call us."});
}

}  // namespace shop::accounts
