/* Fields of a line of separated values. */
#include "csv.h"
#include <ctype.h>
#include <strings.h>
#include "../sys/number.h"

const char *CSVSkipBlanks_Private(const char *s, char separator)
{
  while (*s != separator && isspace((unsigned char)*s)) s++;
  return s;
}

PetscBool CSVIsBlank_Private(const char line[])
{
  return (PetscBool)(*CSVSkipBlanks_Private(line, 0) == 0);
}

const char *CSVFindQuote_Private(const char *s)
{
  for (; *s; s++) {
    if (*s != '"') continue;
    if (s[1] != '"') return s;
    s++;
  }
  return s;
}

CSVEnd CSVNextField_Private(const char **cursor, char separator, CSVField *field)
{
  const char *s = CSVSkipBlanks_Private(*cursor, separator);

  field->quoted = (PetscBool)(*s == '"');
  field->begin = s + (field->quoted ? 1 : 0);
  if (field->quoted) {
    s = CSVFindQuote_Private(field->begin);
    field->length = (size_t)(s - field->begin);
    if (!*s) return CSV_OPEN;
    s = CSVSkipBlanks_Private(s + 1, separator);
    if (*s && *s != separator) return CSV_BEHIND;
  } else {
    while (*s && *s != separator) s++;
    field->length = (size_t)(s - field->begin);
    while (field->length && isspace((unsigned char)field->begin[field->length - 1])) field->length--;
  }
  *cursor = *s ? s + 1 : s;
  return *s ? CSV_MORE : CSV_LAST;
}

void CSVCopyField_Private(CSVField field, char text[])
{
  size_t n = 0;

  for (size_t i = 0; i < field.length; i++) {
    text[n++] = field.begin[i];
    if (field.quoted && field.begin[i] == '"') i++;
  }
  text[n] = 0;
}

PetscBool CSVIsNumber_Private(CSVField field, PetscReal *value)
{
  const char *at = field.begin;
  return (PetscBool)(field.length && TwofoldScanReal(&at, value) && at == field.begin + field.length);
}

PetscBool CSVIsMissing_Private(CSVField field)
{
  const char *const words[] = {"",     "?",   "NA",   "N/A",  "NaN",     "-NaN",
                               "null", "inf", "-inf", "+inf", "infinity"};

  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strlen(words[i]) == field.length && !strncasecmp(words[i], field.begin, field.length))
      return PETSC_TRUE;
  return PETSC_FALSE;
}
