#pragma once
#include <GeographicLib/Geocentric.hpp>
#include <GeographicLib/Geodesic.hpp>
#include <algorithm>
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <cmath>

#include "core/model.hpp"

/// How far two places are from each other, exactly, and within bounds that cost next to nothing.
namespace boxoffice::sqlite
{

using Point = boost::geometry::model::point<double, 3, boost::geometry::cs::cartesian>;

inline constexpr double kMeanRadiusM = 6'371'008.8;
/// The longest geodesic on WGS 84: half a meridian.
inline constexpr double kFarthestM = 20'003'932;
/// Beyond this chord (in mean radii) the arc is too sensitive to the chord to be estimated.
inline constexpr double kChordEstimable = 1.8;
/// How far the arc of the mean sphere over a chord can be from the geodesic, below kChordEstimable. The radii of
/// WGS 84 differ from the mean by 0.34 %, which asin stretches to 0.63 % at most; the property test looks for worse.
inline constexpr double kEstimateError = 0.01;

/// On the ellipsoid, in metres from the centre of the Earth.
inline Point to_point(const GeoPoint& place)
{
    double x = 0;
    double y = 0;
    double z = 0;
    GeographicLib::Geocentric::WGS84().Forward(place.latitude, place.longitude, 0, x, y, z);
    return {x, y, z};
}

inline double geodesic_m(const GeoPoint& a, const GeoPoint& b)
{
    double distance = 0;
    GeographicLib::Geodesic::WGS84().Inverse(a.latitude, a.longitude, b.latitude, b.longitude, distance);
    // To the millimetre, so that engines with other last bits agree on ties.
    return std::round(distance * 1000) / 1000;
}

struct Bounds {
    double least;
    double most;
};

/// Bounds of the geodesic between two points of the ellipsoid from the length of the straight line between them.
inline Bounds bounds_of_chord(double chord)
{
    if (chord > kChordEstimable * kMeanRadiusM) return {chord, kFarthestM};
    const double arc = 2 * kMeanRadiusM * std::asin(chord / (2 * kMeanRadiusM));
    return {std::max(chord, arc * (1 - kEstimateError)) - 0.001, arc * (1 + kEstimateError) + 0.001};
}

inline Bounds bounds_of(const Point& a, const Point& b) { return bounds_of_chord(boost::geometry::distance(a, b)); }

}  // namespace boxoffice::sqlite
