// Takes a request's body into a blob: while one piece is hashed, and written, on the blocking pool, the next
// is read from the peer. Memory does not depend on the body's size.
#pragma once

#include "http/message.h"
#include "image/content_store.h"
#include "io/executors.h"

namespace sampan::image {

// Throws http::BodyError when the peer breaks off (what came so far is in the writer), core::Error when the
// disk refuses. `most`: beyond so many bytes, BodyTooLarge.
io::Awaitable<std::uint64_t> receive_blob(io::Executors& executors, http::BodyReader& body,
                                          BlobWriter& writer, std::uint64_t most);

}  // namespace sampan::image
