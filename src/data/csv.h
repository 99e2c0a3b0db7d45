#ifndef TWOFOLD_CSV_H
#define TWOFOLD_CSV_H
/* Separated values: fields of a line, and what the columns are. */
#include <twofold/impl/datasetimpl.h>
#include "../sys/mpifile.h"

/* A field without its quotes and the blanks around it; within quotes "" still stands for ". */
typedef struct {
  const char *begin;
  size_t length;
  PetscBool quoted;
} CSVField;

/* What came behind a field. */
typedef enum { CSV_MORE, CSV_LAST, CSV_OPEN, CSV_BEHIND } CSVEnd;

const char *CSVSkipBlanks_Private(const char *s, char separator);
PetscBool CSVIsBlank_Private(const char line[]);

/* The closing quote behind `s`, or the end of the line. */
const char *CSVFindQuote_Private(const char *s);

/* Takes the field at *cursor and moves to the next one; says what came behind it, or that its quotes are not
   closed or followed by more text. */
CSVEnd CSVNextField_Private(const char **cursor, char separator, CSVField *field);

/* Copies the field's text, of at most field.length bytes, and a 0. */
void CSVCopyField_Private(CSVField field, char text[]);

/* Whether all of it is one number; and whether it is a word for a value that is not there, or for no number
   one can compute with. */
PetscBool CSVIsNumber_Private(CSVField field, PetscReal *value);
PetscBool CSVIsMissing_Private(CSVField field);

enum { csv_label = -1, csv_dropped = -2 };

/* What the columns are: the same on every rank. */
typedef struct {
  MPI_Comm comm;
  const char *path;
  char separator;
  PetscInt first;   /* number of the first line that is not blank */
  PetscBool header; /* it holds names */
  PetscInt n, p;    /* columns, and those of them that are features */
  char **name;      /* of each column; empty without a header */
  PetscInt *role;   /* of each column: its feature, or one of the above */
} CSVColumns;

/* Decides by the first lines of the file and the options of ds. Collective. */
PetscErrorCode CSVColumnsCreate_Private(DataSet ds, const TwofoldLines *lines, CSVColumns *columns);
PetscErrorCode CSVColumnsDestroy_Private(CSVColumns *columns);

#endif
