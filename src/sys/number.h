#ifndef TWOFOLD_NUMBER_H
#define TWOFOLD_NUMBER_H
/* Numbers as text, both ways exact. */
#include <petscsys.h>

/* Reads a decimal number, correctly rounded, at *cursor and moves behind it; false where none begins there.
   "inf", "nan" and hexadecimal numbers are none; a number beyond the largest one gives infinity. */
PetscBool TwofoldScanReal(const char **cursor, PetscReal *value);

enum { TwofoldRealWidth = 32 };

/* Write a number, without a 0 behind it, and return its length: an integer, and the shortest of 15 to 17
   digits that read back as the same number. */
int TwofoldFormatIndex(char text[TwofoldRealWidth], uint64_t index);
int TwofoldFormatReal(char text[TwofoldRealWidth], PetscReal value);

/* Copies the word at `text` (up to white space) for a message: shortened, unprintable bytes as '?'. */
const char *TwofoldQuoteWord(const char text[], char quoted[48]);

#endif
