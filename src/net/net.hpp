#pragma once
/// Bytes of clients into requests, and replies into bytes: what other modules may know of this one.
#include "net/client_address.hpp"
#include "net/http.hpp"
#include "net/server.hpp"
#include "net/shares.hpp"
