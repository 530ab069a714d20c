// What a reader asks for beside the content itself: "only if it has changed" and "only these bytes" (RFC
// 9110, 13 and 14). For blobs and manifests alike. Pure.
#pragma once

#include "http/message.h"

namespace sampan::ecr {

// `whole` answers GET or HEAD with all of a content that has a strong ETag. Becomes 304, 206 or 416 where the
// request says so.
http::Response conditional(const http::Request& request, http::Response whole);

}  // namespace sampan::ecr
