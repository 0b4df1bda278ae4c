// What `kassay vectors` and the helper of the suite mldsa say to each other.
//
// The host gives a file, one vector a line: NUMBER SET PUBLIC_KEY MESSAGE SIGNATURE, bytes in hex,
// kNoBytes for none. The helper is called with the file, the first line and the count of lines, and
// writes one record a line of the file:
//   {"vector":NUMBER,"verdict":"valid"|"invalid"|"uncarried"|"disabled","door":"pkey_verify",
//    "result":"EKEYREJECTED"}
// "uncarried": no door of the kernel takes this vector; "disabled": the kernel does not verify this
// parameter set.
#pragma once

namespace kassay {

inline constexpr const char* kVectorsSuite = "mldsa";
inline constexpr const char* kVectorsHelper = "Vectors";
inline constexpr const char* kVectorsFile = "vectors.txt";  // below kGuestPreparedDir
inline constexpr const char* kNoBytes = "-";

inline constexpr const char* kVectorValid = "valid";
inline constexpr const char* kVectorInvalid = "invalid";
inline constexpr const char* kVectorUncarried = "uncarried";
inline constexpr const char* kVectorDisabled = "disabled";

}  // namespace kassay
