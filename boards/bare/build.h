/* What this build calls itself. */
#ifndef EIN_BUILD_H
#define EIN_BUILD_H

#define EIN_TEXT_OF(x) #x
#define EIN_TEXT(x) EIN_TEXT_OF(x)
#ifndef EIN_BUILD
#define EIN_BUILD "gcc " EIN_TEXT(__GNUC__) "." EIN_TEXT(__GNUC_MINOR__)
#endif

#endif
