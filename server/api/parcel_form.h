/// The form of a parcel's data, between parcel_pack.c and parcel_unpack.c: a tag, then
///
///   INTEGER  zigzag varint            FLOAT   8 bytes, the machine's order
///   STRING   varint length, bytes
///   TABLE, LIST
///            u32 number of leading values, u32 number of pairs, both in the machine's order; the
///            values of the keys 1, 2, 3 ...; then pairs of key and value
///   VALUE    varints: layout, offset in the parcel's copies
///   ARRAY    varints: layout, part, offset, count, stride, column (structs/array.h)
///   BYTES    varints: part, offset, size
///
/// Layouts and parts are numbered from 1. Nothing of it leaves the process.
#pragma once

enum pl_parcel_tag {
  PL_PARCEL_NIL,
  PL_PARCEL_FALSE,
  PL_PARCEL_TRUE,
  PL_PARCEL_INTEGER,
  PL_PARCEL_FLOAT,
  PL_PARCEL_STRING,
  PL_PARCEL_TABLE,
  PL_PARCEL_LIST,   ///< a table that json.array has marked
  PL_PARCEL_NULL,   ///< json.null
  PL_PARCEL_VALUE,  ///< a struct, or an enum's value
  PL_PARCEL_ARRAY,
  PL_PARCEL_BYTES
};
