/// On which side of a line a point is, exactly.
///
/// Thread: any.
#pragma once

/// The sign of the area of the triangle a b p: 1: p is to the left of the line from a to b, -1: to
/// its right, 0: on it. Right for all finite coordinates, subnormal and huge ones too.
int pl_query_orient(const double a[2], const double b[2], const double p[2]);
