#pragma once
/// Values into JSON, and times in and out. The way back is json/reader.hpp, which brings simdjson with it.
#include "json/fields.hpp"
#include "json/times.hpp"
#include "json/writer.hpp"
