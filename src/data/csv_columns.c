/* What the columns of separated values are: names, the label, features, those left out. */
#include "csv.h"
#include <strings.h>

/* Line k, counted from 0, of those that are not blank, on every rank: its number and text, or NULL. */
static PetscErrorCode ShareLine(MPI_Comm comm, const TwofoldLines *lines, PetscInt k, PetscInt *number,
                                char **text)
{
  PetscInt count = 0, before, found[2] = {-1, 0};
  const char *line = NULL;
  PetscMPIInt rank, owner, mine = -1;

  PetscFunctionBegin;
  *text = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  for (PetscInt i = 0; i < lines->nlines; i++) count += CSVIsBlank_Private(lines->line[i]) ? 0 : 1;
  PetscCallMPI(MPI_Scan(&count, &before, 1, MPIU_INT, MPI_SUM, comm));
  before -= count;
  for (PetscInt i = 0; i < lines->nlines && before <= k && !line; i++) {
    if (CSVIsBlank_Private(lines->line[i])) continue;
    if (before++ < k) continue;
    line = lines->line[i];
    found[0] = lines->first + i;
    PetscCall(PetscIntCast((PetscInt64)strlen(line) + 1, &found[1]));
    mine = rank;
  }
  PetscCallMPI(MPI_Allreduce(&mine, &owner, 1, MPI_INT, MPI_MAX, comm));
  if (owner < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Bcast(found, 2, MPIU_INT, owner, comm));
  PetscCall(PetscMalloc1(found[1], text));
  if (rank == owner) PetscCall(PetscArraycpy(*text, line, found[1]));
  PetscCallMPI(MPI_Bcast(*text, (PetscMPIInt)found[1], MPI_CHAR, owner, comm));
  *number = found[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The first of tab, semicolon and comma that occurs outside quotes: a comma may also be part of a number, and
   any of them of a text, but then the file has another separator and no need for quotes. */
static char DetectSeparator(const char line[])
{
  const char *const known = "\t;,";

  for (const char *c = known; *c; c++)
    for (const char *s = line; *s; s++) {
      if (*s == '"') s = CSVFindQuote_Private(s + 1);
      if (!*s) break;
      if (*s == *c) return *c;
    }
  return ',';
}

/* A first line is a header if no field of it is a number, or one is a text above a number; it is none where a
   value is missing. */
static PetscBool DetectHeader(const char first[], const char second[], char separator)
{
  PetscBool any = PETSC_FALSE, above = PETSC_FALSE;
  CSVEnd end = CSV_MORE, end2 = second ? CSV_MORE : CSV_LAST;
  CSVField field, below;
  PetscReal x;

  while (end == CSV_MORE) {
    const PetscBool both = (PetscBool)(end2 == CSV_MORE);
    end = CSVNextField_Private(&first, separator, &field);
    if (both) end2 = CSVNextField_Private(&second, separator, &below);
    if (CSVIsNumber_Private(field, &x))
      any = PETSC_TRUE;
    else if (both && !CSVIsMissing_Private(field) && CSVIsNumber_Private(below, &x))
      above = PETSC_TRUE;
  }
  return (PetscBool)(!any || above);
}

/* Splits the first line into names. */
static PetscErrorCode NameColumns(CSVColumns *columns, const char line[])
{
  CSVEnd end = CSV_MORE;
  const char *at = line;
  CSVField field;

  PetscFunctionBegin;
  for (columns->n = 0; end == CSV_MORE; columns->n++)
    end = CSVNextField_Private(&at, columns->separator, &field);
  PetscCheck(end == CSV_LAST, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s:%" PetscInt_FMT ": column %" PetscInt_FMT ": %s", columns->path, columns->first, columns->n,
             end == CSV_OPEN ? "a quote is not closed on its line" : "text behind a closing quote");
  PetscCall(PetscCalloc1(columns->n, &columns->name));
  PetscCall(PetscCalloc1(columns->n, &columns->role));
  at = line;
  for (PetscInt j = 0; j < columns->n; j++) {
    (void)CSVNextField_Private(&at, columns->separator, &field);
    PetscCall(PetscCalloc1(field.length + 1, &columns->name[j]));
    if (columns->header) CSVCopyField_Private(field, columns->name[j]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CSVColumnsDestroy_Private(CSVColumns *columns)
{
  PetscFunctionBegin;
  for (PetscInt j = 0; j < columns->n; j++) PetscCall(PetscFree(columns->name[j]));
  PetscCall(PetscFree(columns->name));
  PetscCall(PetscFree(columns->role));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Raises that there is no such column. Collective. */
static PetscErrorCode RefuseColumn(const CSVColumns *columns, const char option[], const char wanted[])
{
  PetscInt best = PETSC_MAX_INT, closest = 0;

  PetscFunctionBegin;
  PetscCheck(columns->header, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s %s: %s has no header line (or give -data_csv_header), so say 1 to %" PetscInt_FMT, option,
             wanted, columns->path, columns->n);
  for (PetscInt j = 0; j < columns->n; j++) {
    const PetscInt distance = TwofoldEditDistance(wanted, columns->name[j]);
    if (distance >= best) continue;
    best = distance;
    closest = j;
  }
  SETERRQ(columns->comm, PETSC_ERR_FILE_UNEXPECTED,
          "%s %s: %s has no such column among its %" PetscInt_FMT
          " (closest: %s; columns also go by number, from 1)",
          option, wanted, columns->path, columns->n, columns->name[closest]);
}

/* The column of this name, else of this number (from 1). Collective. */
static PetscErrorCode FindColumn(const CSVColumns *columns, const char option[], const char wanted[],
                                 PetscInt *column)
{
  char *behind;

  PetscFunctionBegin;
  *column = -1;
  for (PetscInt j = 0; columns->header && j < columns->n; j++) {
    if (strcmp(columns->name[j], wanted) != 0) continue;
    PetscCheck(*column < 0, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
               "%s %s: columns %" PetscInt_FMT " and %" PetscInt_FMT
               " of %s have that name; give the number of the one you mean",
               option, wanted, *column + 1, j + 1, columns->path);
    *column = j;
  }
  if (*column >= 0) PetscFunctionReturn(PETSC_SUCCESS);
  const long long number = strtoll(wanted, &behind, 10);
  if (*wanted && !*behind && number >= 1 && number <= columns->n)
    *column = (PetscInt)number - 1;
  else
    PetscCall(RefuseColumn(columns, option, wanted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DropColumns(CSVColumns *columns, const char list[])
{
  char **word;
  int n;

  PetscFunctionBegin;
  PetscCall(PetscStrToArray(list, ',', &n, &word));
  for (int i = 0; i < n; i++) {
    PetscInt j;
    PetscCall(FindColumn(columns, "-data_csv_drop", CSVSkipBlanks_Private(word[i], 0), &j));
    columns->role[j] = csv_dropped;
  }
  PetscCall(PetscStrToArrayDestroy(n, word));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The column of the labels: the one that is asked for, else the first of these names, else the last column.
 */
static PetscErrorCode ChooseLabel(CSVColumns *columns, const char wanted[])
{
  const char *const usual[] = {"label", "class", "target", "y", "status"};
  PetscInt label = -1;

  PetscFunctionBegin;
  if (wanted[0]) PetscCall(FindColumn(columns, "-data_label", wanted, &label));
  for (size_t i = 0; label < 0 && i < sizeof(usual) / sizeof(usual[0]); i++)
    for (PetscInt j = 0; label < 0 && j < columns->n; j++)
      if (!columns->role[j] && !strcasecmp(columns->name[j], usual[i])) label = j;
  for (PetscInt j = columns->n - 1; label < 0 && j >= 0; j--)
    if (!columns->role[j]) label = j;
  PetscCheck(label >= 0 && !columns->role[label], columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: -data_csv_drop leaves out %s", columns->path,
             label < 0 ? "every column" : "the column of the labels");
  columns->role[label] = csv_label;
  columns->p = 0;
  for (PetscInt j = 0; j < columns->n; j++)
    if (!columns->role[j]) columns->role[j] = columns->p++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CSVColumnsCreate_Private(DataSet ds, const TwofoldLines *lines, CSVColumns *columns)
{
  char *first, *second;
  PetscInt number;

  PetscFunctionBegin;
  PetscCall(ShareLine(columns->comm, lines, 0, &columns->first, &first));
  PetscCall(ShareLine(columns->comm, lines, 1, &number, &second));
  PetscCheck(first, columns->comm, PETSC_ERR_FILE_UNEXPECTED, "%s holds no samples", columns->path);
  columns->separator = ds->csv_separator ? ds->csv_separator : DetectSeparator(first);
  columns->header =
      ds->csv_header < 0 ? DetectHeader(first, second, columns->separator) : (PetscBool)(ds->csv_header > 0);
  PetscCheck(second || !columns->header, columns->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s holds no samples, only a header (or give -data_csv_header false)", columns->path);
  PetscCall(NameColumns(columns, first));
  PetscCall(PetscFree(first));
  PetscCall(PetscFree(second));
  PetscCall(DropColumns(columns, ds->csv_drop));
  PetscCall(ChooseLabel(columns, ds->label_column));
  PetscFunctionReturn(PETSC_SUCCESS);
}
