#pragma once
#include <cstddef>
#include <cstdint>

#include "core/instant.hpp"

/// The contract's limits, stated once; lengths of text are in Unicode characters unless the name says bytes.
namespace boxoffice
{

inline constexpr std::size_t kEmailBytesMax = 254;      // RFC 5321: 256 octets of path less its brackets
inline constexpr std::size_t kEmailLocalBytesMax = 64;  // RFC 5321, 4.5.3.1.1
inline constexpr std::size_t kNameCharsMax = 200;
inline constexpr std::size_t kPasswordBytesMin = 8;
inline constexpr std::size_t kPasswordBytesMax = 72;  // bcrypt reads no further
inline constexpr std::size_t kTitleCharsMax = 200;
inline constexpr std::size_t kDescriptionCharsMax = 5000;
inline constexpr std::size_t kAddressCharsMax = 500;
inline constexpr std::size_t kReferenceCharsMax = 200;
inline constexpr std::size_t kIdempotencyKeyCharsMax = 255;
inline constexpr std::int64_t kTicketsMax = 1'000'000'000;
inline constexpr double kRadiusKmMax = 20'040;                       // a little over half the way round the Earth
inline constexpr Micros kPublishingWindow = std::chrono::hours(24);  // what AddEvent::most_a_day counts over
inline constexpr std::int64_t kPageMax = 100;
/// What is passed over costs as much as what is shown; beyond this, lists go on by their cursor.
inline constexpr std::int64_t kSkipMax = 10'000;
inline constexpr Micros kAnswerLife = std::chrono::hours(24);  // how long the first answer to an Idempotency-Key is kept
/// An address that a person typed may belong to another person: so many messages an hour go to one, but for those about paid
/// tickets.
inline constexpr std::int64_t kMailsAnHour = 10;
/// What a stranger put into an account's name must not become a message of his own.
inline constexpr std::size_t kGreetingCharsMax = 80;
/// That a message was sent is remembered for so much longer than answers are: an effect's tries are over by far.
inline constexpr Micros kMailsOutliveAnswers = std::chrono::hours(24 * 30);

}  // namespace boxoffice
