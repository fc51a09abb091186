/// The form of a parcel's data, between parcel_pack.c and parcel_unpack.c: a tag, then
///
///   INTEGER  zigzag varint            FLOAT   8 bytes, the machine's order
///   STRING   varint length, bytes
///   TABLE, LIST
///            u32 number of leading values, u32 number of pairs, both in the machine's order; the
///            values of the keys 1, 2, 3 ...; then pairs of key and value
///
/// Nothing of it leaves the process.
#pragma once

enum pl_parcel_tag {
  PL_PARCEL_NIL,
  PL_PARCEL_FALSE,
  PL_PARCEL_TRUE,
  PL_PARCEL_INTEGER,
  PL_PARCEL_FLOAT,
  PL_PARCEL_STRING,
  PL_PARCEL_TABLE,
  PL_PARCEL_LIST,  ///< a table that json.array has marked
  PL_PARCEL_NULL   ///< json.null
};
