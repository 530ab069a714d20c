// A response's head as bytes. Pure but for the date.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace sampan::http {

std::string_view reason_phrase(int status);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string render_http_date(std::int64_t epoch_seconds);

// A token of RFC 9110: what a field's name or a method may be.
bool is_token(std::string_view text);
// Free of CR, LF and NUL, which would end the field and begin another.
bool is_field_value(std::string_view text);

// False for responses that never carry a body: 1xx, 204, 304 and any answer to HEAD.
bool carries_body(int status, std::string_view method);

// Ends with the empty line. Content-Length, Connection and Transfer-Encoding are the server's to set: a
// handler's are left out. Throws core::Error for a field that would break out of its line.
void append_response_head(std::string& out, const Request& request, const Response& response, bool keep_alive,
                          bool http_1_0);

}  // namespace sampan::http
