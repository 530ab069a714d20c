// The compiled part of Boost.Asio's TLS, as io/asio_source.cpp is of the rest.
#include <boost/asio/ssl/impl/src.hpp>
