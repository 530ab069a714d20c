// The compiled part of Boost.Asio: every other file sees its declarations only
// (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
