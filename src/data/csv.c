/* Separated values: a sample a line, dense, with the label in one of the columns. */
#include "csv.h"
#include <ctype.h>

/* ------------------------------------------------------------------ rows */

/* This rank's rows while they are read; labels stand in the text of the lines. */
typedef struct {
  const CSVColumns *columns;
  PetscInt n, *rowptr, *col;
  PetscScalar *val;
  CSVField *label;
  TwofoldFault fault;
} Rows;

/* Shortened for a message, unprintable bytes as '?'. */
static const char *QuoteField(CSVField field, char quoted[48])
{
  const size_t longest = 40, n = PetscMin(field.length, longest);

  for (size_t i = 0; i < n; i++) quoted[i] = isprint((unsigned char)field.begin[i]) ? field.begin[i] : '?';
  strcpy(quoted + n, field.length > longest ? "..." : "");
  return quoted;
}

/* Says what is wrong with a field: its line, its column and that column's name. */
static void Complain(Rows *rows, PetscInt number, PetscInt column, const char format[], ...)
    PETSC_ATTRIBUTE_FORMAT(4, 5);

static void Complain(Rows *rows, PetscInt number, PetscInt column, const char format[], ...)
{
  const CSVColumns *const c = rows->columns;
  char what[512], name[96] = "";
  va_list arguments;

  va_start(arguments, format);
  (void)vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  if (column < c->n && c->name[column][0]) snprintf(name, sizeof(name), " (%.80s)", c->name[column]);
  TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                  "%s:%" PetscInt_FMT ": column %" PetscInt_FMT "%s: %s", c->path, number, column + 1, name,
                  what);
}

/* What to write after -data_csv_drop: the column's name, or its number where it has none that would do. */
static const char *NameToDrop(const CSVColumns *columns, PetscInt column, char text[32])
{
  const char *const name = columns->name[column];

  if (name[0] && strlen(name) < 80 && !strpbrk(name, ", \"'")) return name;
  snprintf(text, 32, "%" PetscInt_FMT, column + 1);
  return text;
}

/* Stores a feature as entry *k; zeros are not stored. */
static void TakeFeature(Rows *rows, PetscInt number, PetscInt column, CSVField field, PetscInt *k)
{
  char quoted[48], drop[32];
  PetscReal x;

  if (!field.length)
    Complain(rows, number, column,
             "the field is empty; fill it in, or leave the line out, or the column by -data_csv_drop %s",
             NameToDrop(rows->columns, column, drop));
  else if (!CSVIsNumber_Private(field, &x) || PetscIsInfReal(x))
    Complain(rows, number, column,
             "'%s' is not a %s; correct it, or leave the column out by -data_csv_drop %s",
             QuoteField(field, quoted),
             CSVIsNumber_Private(field, &x) || CSVIsMissing_Private(field) ? "finite number" : "number",
             NameToDrop(rows->columns, column, drop));
  else if (x != 0) {
    rows->col[*k] = rows->columns->role[column];
    rows->val[(*k)++] = x;
  }
}

/* Any text that says something will do, but no number that does not. */
static void TakeLabel(Rows *rows, PetscInt number, PetscInt column, CSVField field)
{
  char quoted[48];
  PetscReal x;

  if (CSVIsMissing_Private(field) || (CSVIsNumber_Private(field, &x) && PetscIsInfReal(x)))
    Complain(rows, number, column, "'%s' is no label; correct it, or name the right column by -data_label",
             QuoteField(field, quoted));
  rows->label[rows->n] = field;
}

/* Adds the row of one line. */
static void ParseLine(Rows *rows, PetscInt number, const char line[])
{
  const CSVColumns *const c = rows->columns;
  PetscInt k = rows->rowptr[rows->n], j = 0;
  CSVEnd end = CSV_MORE;
  CSVField field;

  for (; end == CSV_MORE; j++) {
    end = CSVNextField_Private(&line, c->separator, &field);
    if (end == CSV_OPEN)
      Complain(rows, number, j, "a quote is not closed on its line");
    else if (end == CSV_BEHIND)
      Complain(rows, number, j, "text behind a closing quote (a quote within quotes is written twice)");
    else if (j < c->n && c->role[j] == csv_label)
      TakeLabel(rows, number, j, field);
    else if (j < c->n && c->role[j] >= 0)
      TakeFeature(rows, number, j, field, &k);
  }
  if (end == CSV_LAST && j != c->n) { /* the cause of whatever else was wrong */
    rows->fault.code = 0;
    TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s:%" PetscInt_FMT ": %" PetscInt_FMT " fields, but the first line (%" PetscInt_FMT
                    ") has %" PetscInt_FMT "; fields are separated by %s",
                    c->path, number, j, c->first, c->n,
                    c->separator == '\t' ? "tabs" : (char[4]){'\'', c->separator, '\'', 0});
  }
  rows->rowptr[++rows->n] = k;
}

static PetscErrorCode ParseLines(const TwofoldLines *lines, Rows *rows)
{
  const CSVColumns *const c = rows->columns;
  const PetscInt64 most = (PetscInt64)lines->nlines * c->p;

  PetscFunctionBegin;
  if (most >= PETSC_MAX_INT) {
    TwofoldFaultSet(&rows->fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: %" PetscInt64_FMT
                    " entries on one rank; use more ranks or PETSc with 64-bit indices",
                    c->path, most);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscMalloc1(lines->nlines + 1, &rows->rowptr));
  PetscCall(PetscMalloc1(lines->nlines + 1, &rows->label));
  PetscCall(PetscMalloc1(most + 1, &rows->col));
  PetscCall(PetscMalloc1(most + 1, &rows->val));
  rows->rowptr[0] = 0;
  for (PetscInt i = 0; i < lines->nlines && !rows->fault.code; i++)
    if (!CSVIsBlank_Private(lines->line[i]) && !(c->header && lines->first + i == c->first))
      ParseLine(rows, lines->first + i, lines->line[i]);
  const size_t n = (size_t)rows->rowptr[rows->n] + 1;
  PetscCall(PetscRealloc(n * sizeof(*rows->col), &rows->col));
  PetscCall(PetscRealloc(n * sizeof(*rows->val), &rows->val));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ labels */

static int CompareNames(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts names as bytes and drops repetitions; returns the number left. */
static PetscInt SortUnique(PetscInt n, const char *name[])
{
  PetscInt m = 0;

  qsort(name, (size_t)n, sizeof(*name), CompareNames);
  for (PetscInt i = 0; i < n; i++)
    if (i == 0 || strcmp(name[i], name[m - 1]) != 0) name[m++] = name[i];
  return m;
}

/* Names, packed one behind another with a 0 each. */
typedef struct {
  char *text;
  const char **name;
  PetscInt n;
} Names;

/* All ranks' distinct names on every rank. Collective. */
static PetscErrorCode GatherNames(MPI_Comm comm, PetscInt n, const char *const name[], Names *all)
{
  PetscMPIInt size, mine = 0, total = 0, *count, *start;
  char *packed;
  size_t bytes = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (PetscInt i = 0; i < n; i++) bytes += strlen(name[i]) + 1;
  PetscCall(PetscMalloc1(bytes + 1, &packed));
  for (PetscInt i = 0; i < n; i++) {
    strcpy(packed + mine, name[i]);
    mine += (PetscMPIInt)strlen(name[i]) + 1;
  }
  PetscCall(PetscMalloc2(size, &count, size, &start));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, count, 1, MPI_INT, comm));
  for (PetscMPIInt r = 0; r < size; r++) {
    start[r] = total;
    total += count[r];
  }
  PetscCall(PetscMalloc1(total + 1, &all->text));
  PetscCallMPI(MPI_Allgatherv(packed, mine, MPI_CHAR, all->text, count, start, MPI_CHAR, comm));
  PetscCall(PetscFree2(count, start));
  PetscCall(PetscFree(packed));
  all->n = 0;
  for (PetscMPIInt i = 0; i < total; i++) all->n += all->text[i] == 0;
  PetscCall(PetscMalloc1(all->n + 1, &all->name));
  const char *at = all->text;
  for (PetscInt k = 0; k < all->n; k++, at += strlen(at) + 1) all->name[k] = at;
  all->n = SortUnique(all->n, all->name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Texts become classes: the distinct ones, sorted as bytes, count from 0. */
static PetscErrorCode LabelsByName(const Rows *rows, PetscReal y[], Names *classes)
{
  const MPI_Comm comm = rows->columns->comm;
  const PetscInt most = 4096;
  const size_t longest = 1 << 20;
  TwofoldFault fault = {0};
  size_t bytes = 0, distinct = 0;
  const char **name, **sorted;
  char *text;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows->n; i++) bytes += rows->label[i].length + 1;
  PetscCall(PetscMalloc3(bytes + 1, &text, rows->n + 1, &name, rows->n + 1, &sorted));
  char *at = text;
  for (PetscInt i = 0; i < rows->n; i++) {
    CSVCopyField_Private(rows->label[i], at);
    name[i] = sorted[i] = at;
    at += rows->label[i].length + 1;
  }
  const PetscInt n = SortUnique(rows->n, sorted);
  for (PetscInt k = 0; k < n; k++) distinct += strlen(sorted[k]);
  if (n > most || distinct > longest)
    TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: the labels are more than %" PetscInt_FMT
                    " different texts, or long ones; name the right column by -data_label",
                    rows->columns->path, most);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscCall(GatherNames(comm, n, sorted, classes));
  for (PetscInt i = 0; i < rows->n; i++) {
    const char **const found =
        bsearch(&name[i], classes->name, (size_t)classes->n, sizeof(*name), CompareNames);
    y[i] = (PetscReal)(found - classes->name);
  }
  PetscCall(PetscFree3(text, name, sorted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Numbers stay what they are, unless a label of the file is none: then all are names. */
static PetscErrorCode TakeLabels(const Rows *rows, PetscReal y[], Names *classes)
{
  int texts = 0;

  PetscFunctionBegin;
  *classes = (Names){0};
  for (PetscInt i = 0; i < rows->n; i++) texts |= !CSVIsNumber_Private(rows->label[i], &y[i]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &texts, 1, MPI_INT, MPI_LOR, rows->columns->comm));
  if (texts) PetscCall(LabelsByName(rows, y, classes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* For DataSetView(): which column the labels are from. */
static PetscErrorCode NameLabel(DataSet ds, const CSVColumns *columns, PetscInt column)
{
  char text[128];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "column %" PetscInt_FMT "%s%.80s", column + 1,
                          columns->header ? ", " : "", columns->name[column]));
  PetscCall(PetscStrallocpy(text, &ds->labelname));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_CSV(DataSet ds, const char path[])
{
  CSVColumns columns = {.comm = PetscObjectComm((PetscObject)ds), .path = path};
  Rows rows = {.columns = &columns};
  TwofoldLines lines;
  PetscReal *y;
  Names classes;

  PetscFunctionBegin;
  PetscCall(TwofoldLinesRead(columns.comm, path, &lines));
  PetscCall(CSVColumnsCreate_Private(ds, &lines, &columns));
  PetscCall(ParseLines(&lines, &rows));
  PetscCall(TwofoldFaultAgree(columns.comm, &rows.fault));
  PetscCall(PetscMalloc1(rows.n + 1, &y));
  PetscCall(TakeLabels(&rows, y, &classes));
  if (classes.n) PetscCall(DataSetRefuseNames_Private(ds, ds->targets));
  PetscCall(TwofoldLinesDestroy(&lines));
  PetscCall(PetscFree(rows.label));
  PetscCall(DataSetTakeRows_Private(ds, rows.n, rows.rowptr, rows.col, rows.val, y, columns.p, PETSC_TRUE));
  PetscCall(PetscFree(y));
  if (classes.n) PetscCall(PetscCalloc1(ds->c, &ds->classname));
  for (PetscInt k = 0; k < classes.n; k++) PetscCall(PetscStrallocpy(classes.name[k], &ds->classname[k]));
  for (PetscInt j = 0; j < columns.n; j++)
    if (columns.role[j] == csv_label) PetscCall(NameLabel(ds, &columns, j));
  PetscCall(PetscFree(classes.name));
  PetscCall(PetscFree(classes.text));
  PetscCall(CSVColumnsDestroy_Private(&columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}
