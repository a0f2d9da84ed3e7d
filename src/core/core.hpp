#pragma once
/// The language of the box office and its rules: no I/O, no clock, no random, no JSON, no SQL.
#include "core/acts.hpp"
#include "core/limits.hpp"
#include "core/ports.hpp"
#include "core/queries.hpp"
#include "core/rules.hpp"
#include "core/sales_rate.hpp"
#include "core/suggest.hpp"
