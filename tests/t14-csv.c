/* Separated values: what is read, what is detected, what is refused and how, on any number of ranks. */
#include "files.h"
#include <twofold/impl/datasetimpl.h>

/* Options of the reader, as -data_... words; NULL for none. */
static PetscErrorCode Load(MPI_Comm comm, const char path[], const char options[], DataSet *ds)
{
  PetscFunctionBegin;
  PetscCall(PetscOptionsClear(NULL));
  if (options) PetscCall(PetscOptionsInsertString(NULL, options));
  PetscCall(DataSetCreate(comm, ds));
  PetscCall(DataSetSetFormat(*ds, DATASETCSV));
  PetscCall(DataSetSetFromOptions(*ds));
  PetscCall(DataSetLoad(*ds, path));
  PetscFunctionReturn(0);
}

/* Class names with a space behind each; empty where classes are numbers. */
static PetscErrorCode ClassNames(DataSet ds, char text[512])
{
  const char *const *name;
  PetscInt c;

  PetscFunctionBegin;
  text[0] = 0;
  PetscCall(DataSetGetSizes(ds, NULL, NULL, &c));
  PetscCall(DataSetGetClasses(ds, NULL, &name));
  for (PetscInt k = 0; name && k < c; k++) {
    PetscCall(PetscStrlcat(text, name[k], 512));
    PetscCall(PetscStrlcat(text, " ", 512));
  }
  PetscFunctionReturn(0);
}

/* The text must give these rows, features, class names; also on one rank. */
static PetscErrorCode Expect(const char folder[], const char options[], const char text[], const char rows[],
                             PetscInt p, const char names[])
{
  const MPI_Comm comms[] = {TEST_COMM, PETSC_COMM_SELF};
  char path[PETSC_MAX_PATH_LEN], *got, classes[512];
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "in.csv", text, path));
  for (int i = 0; i < 2; i++) {
    PetscCall(Load(comms[i], path, options, &ds));
    PetscCall(DataSetText(ds, &got));
    CHECK(!strcmp(got, rows), "'%s' read as '%s' instead of '%s'", text, got, rows);
    CHECK(ds->p == p, "'%s': %d features instead of %d", text, (int)ds->p, (int)p);
    CHECK(ds->fixed_width, "the width of separated values is fixed");
    PetscCall(ClassNames(ds, classes));
    CHECK(!strcmp(classes, names), "'%s': classes '%s' instead of '%s'", text, classes, names);
    PetscCall(PetscFree(got));
    PetscCall(DataSetDestroy(&ds));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Literals(const char folder[])
{
  const char *const rows = "1 0:0.5 1:2\n-1 1:0.001\n";

  PetscFunctionBegin;
  PetscCall(Expect(folder, NULL, "0.5,2,1\n0,1e-3,-1\n", rows, 2, ""));
  PetscCall(Expect(folder, NULL, "a,b,c\n0.5,2,1\n0,1e-3,-1", rows, 2, ""));
  PetscCall(Expect(folder, NULL, "\xEF\xBB\xBFy;a;b\r\n1;.5;+2.\r\n\r\n-1;0;1E-3\r\n", rows, 2, ""));
  PetscCall(Expect(folder, NULL, "\n \n\na\tLabel\tb\n\n0.5 \t 1\t2\n0\t-1\t1e-3\n\n", rows, 2, ""));
  PetscCall(Expect(folder, NULL, "\"a\",\"the \"\"b\"\", or so\",\"c\"\n\"0.5\", \"2\" ,1\n0,1e-3,\"-1\"\n",
                   rows, 2, ""));
  PetscCall(Expect(folder, "-data_csv_separator |", "0.5|2|1\n0|1e-3|-1\n", rows, 2, ""));
  PetscCall(Expect(folder, "-data_csv_separator tab", "0.5\t2\t1\n0\t1e-3\t-1\n", rows, 2, ""));
  PetscCall(Expect(folder, NULL, "7\n8\n8\n", "7\n8\n8\n", 0, ""));
  PetscCall(Expect(folder, NULL, "x,1\n2,3\n", "3 0:2\n", 1, "")); /* a text above a number is a header */
  PetscCall(Expect(folder, NULL, "1,cat\n2,dog\n", "0 0:1\n1 0:2\n", 1,
                   "cat dog ")); /* a text above a text is none */
  PetscCall(Expect(folder, "-data_csv_header true", "1,2\n3,4\n", "4 0:3\n", 1, ""));
  PetscCall(Expect(folder, "-data_csv_header false -data_label 1", "cat,2\ndog,4\n", "0 0:2\n1 0:4\n", 1,
                   "cat dog "));
  PetscFunctionReturn(0);
}

static PetscErrorCode Columns(const char folder[])
{
  const char *const text = "id,b,c,d\nx,1,2,3\nz,4,5,6\n";

  PetscFunctionBegin;
  PetscCall(Expect(folder, "-data_csv_drop id", text, "3 0:1 1:2\n6 0:4 1:5\n", 2, ""));
  PetscCall(Expect(folder, "-data_csv_drop 1,c", text, "3 0:1\n6 0:4\n", 1, ""));
  PetscCall(
      Expect(folder, "-data_csv_drop id,d", text, "2 0:1\n5 0:4\n", 1, "")); /* the last of those left */
  PetscCall(Expect(folder, "-data_label b -data_csv_drop id", text, "1 0:2 1:3\n4 0:5 1:6\n", 2, ""));
  PetscCall(Expect(folder, "-data_label 3 -data_csv_drop id", text, "2 0:1 1:3\n5 0:4 1:6\n", 2, ""));
  PetscCall(Expect(folder, "-data_label id", text, "0 0:1 1:2 2:3\n1 0:4 1:5 2:6\n", 3, "x z "));
  PetscCall(Expect(folder, "-data_label 2", "2,1\n3,4\n", "1 0:2\n4 0:3\n", 1, ""));
  PetscCall(Expect(folder, NULL, "y,class,a\n1,2,3\n4,5,6\n", "2 0:1 1:3\n5 0:4 1:6\n", 2, ""));
  PetscCall(Expect(folder, "-data_csv_drop class", "y,class,a\n1,2,3\n4,5,6\n", "1 0:3\n4 0:6\n", 1, ""));
  PetscCall(Expect(folder, NULL, "Status,a\n1,3\n4,6\n", "1 0:3\n4 0:6\n", 1, ""));
  /* one label that is no number makes names of all, sorted as bytes */
  PetscCall(Expect(folder, NULL, "1,10\n2,b \n3,\"a, \"\"b\"\"\"\n4,B\n5,b\n",
                   "0 0:1\n3 0:2\n2 0:3\n1 0:4\n3 0:5\n", 1, "10 B a, \"b\" b "));
  PetscFunctionReturn(0);
}

/* Line 40 of 80 is bad. */
static PetscErrorCode Refuse(const char folder[], const char options[], const char line[], const char says[])
{
  char path[PETSC_MAX_PATH_LEN], expected[PETSC_MAX_PATH_LEN + 128], text[4096] = "";
  DataSet ds;

  PetscFunctionBegin;
  for (int i = 1; i <= 80; i++) {
    PetscCall(PetscStrlcat(text, i == 1 ? "one,two and,label" : i == 40 ? line : "1,2,0", sizeof(text)));
    PetscCall(PetscStrlcat(text, "\n", sizeof(text)));
  }
  PetscCall(TextWrite(folder, "bad.csv", text, path));
  PetscCall(PetscSNPrintf(expected, sizeof(expected), "%s:40: %s", path, says));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, expected, Load(TEST_COMM, path, options, &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

static PetscErrorCode BadLines(const char folder[])
{
  const struct {
    const char *line, *says;
  } bad[] = {
      {"1,2", "2 fields, but the first line (1) has 3; fields are separated by ','"},
      {"1,2,3,4", "4 fields, but the first line (1) has 3"},
      {"1;2;3", "1 fields, but the first line (1) has 3"},
      {"x,2", "2 fields, but the first line (1) has 3"}, /* the cause of the x */
      {"x,2,0",
       "column 1 (one): 'x' is not a number; correct it, or leave the column out by -data_csv_drop one"},
      {"1,2b,0",
       "column 2 (two and): '2b' is not a number; correct it, or leave the column out by -data_csv_drop 2"},
      {"1,0x10,0", "column 2 (two and): '0x10' is not a number"},
      {"1,nan,0", "column 2 (two and): 'nan' is not a finite number"},
      {"1,-Inf,0", "column 2 (two and): '-Inf' is not a finite number"},
      {"1,1e999,0", "column 2 (two and): '1e999' is not a finite number"},
      {"1,?,0", "column 2 (two and): '?' is not a finite number"},
      {"1,1 2,0", "column 2 (two and): '1 2' is not a number"},
      {"1,,0", "column 2 (two and): the field is empty"},
      {"1,  ,0", "column 2 (two and): the field is empty"},
      {"1,\"\",0", "column 2 (two and): the field is empty"},
      {"1,2,", "column 3 (label): '' is no label"},
      {"1,2,NA", "column 3 (label): 'NA' is no label"},
      {"1,2,1e999", "column 3 (label): '1e999' is no label"},
      {"1,\"2,0", "column 2 (two and): a quote is not closed on its line"},
      {"1,\"2\"3,0", "column 2 (two and): text behind a closing quote"},
      {"1,\x01\x02,0", "column 2 (two and): '\?\?' is not a number"},
  };

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    PetscCall(Refuse(folder, NULL, bad[i].line, bad[i].says));
  PetscFunctionReturn(0);
}

static PetscErrorCode BadFiles(const char folder[])
{
  const struct {
    const char *options, *text, *says;
  } bad[] = {
      {NULL, "", "in.csv holds no samples"},
      {NULL, "\n  \n\r\n", "in.csv holds no samples"},
      {NULL, "a,b\n", "in.csv holds no samples, only a header"},
      {"-data_label stauts", "id,status\n1,2\n", "-data_label stauts: "},
      {"-data_label stauts", "id,status\n1,2\n", "closest: status"},
      {"-data_csv_drop id,nam", "id,name,y\n1,2,3\n", "-data_csv_drop nam: "},
      {"-data_csv_drop id,nam", "id,name,y\n1,2,3\n", "closest: name"},
      {"-data_label y", "1,2\n3,4\n", "has no header line"},
      {"-data_label 3", "1,2\n3,4\n", "so say 1 to 2"},
      {"-data_label 0", "1,2\n3,4\n", "so say 1 to 2"},
      {"-data_label a", "a,b,a\n1,2,3\n", "columns 1 and 3 of"},
      {"-data_label b -data_csv_drop b", "a,b\n1,2\n", "-data_csv_drop leaves out the column of the labels"},
      {"-data_csv_drop 1,2", "a,b\n1,2\n", "-data_csv_drop leaves out every column"},
      {NULL, "a,\"b\n1,2\n", "in.csv:1: column 2: a quote is not closed"},
      {NULL, "\n\na,\"b\"c\n1,2\n", "in.csv:3: column 2: text behind a closing quote"},
      {NULL, "1,NA,3\n1,2,3\n", "in.csv:1: column 2: 'NA' is not a finite number"}, /* no header for that */
  };
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    PetscCall(TextWrite(folder, "in.csv", bad[i].text, path));
    CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, bad[i].says, Load(TEST_COMM, path, bad[i].options, &ds));
    PetscCall(DataSetDestroy(&ds));
  }
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, Load(TEST_COMM, "missing.csv", NULL, &ds));
  PetscCall(DataSetDestroy(&ds));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "-data_csv_separator 1",
             Load(TEST_COMM, path, "-data_csv_separator 1", &ds));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* The number in row i and column j; some are zero, which are not stored. */
static PetscReal Number(int i, int j)
{
  return (i + j) % 5 ? TwofoldRandomNormal(3, 100 * i + j) : 0;
}

/* A larger file, every number of which must come back with its 17 digits; class names on some ranks only. */
static PetscErrorCode Entries(const char folder[])
{
  enum { n = 301, p = 7 };
  const char *const name[] = {"blue", "green", "red"};
  char path[PETSC_MAX_PATH_LEN], *text, *rows, *got, classes[512];
  size_t at = 0, to = 0;
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n * (p + 1) * 40, &text, n * (p + 1) * 40, &rows));
  for (int i = 0; i < n; i++) {
    const int label = i < n - 5 ? 2 * (i % 2) : 1;
    to += (size_t)sprintf(rows + to, "%d", label);
    for (int j = 0; j < p; j++) {
      at += (size_t)sprintf(text + at, "%.17g,", (double)Number(i, j));
      if (Number(i, j) != 0) to += (size_t)sprintf(rows + to, " %d:%.17g", j, (double)Number(i, j));
    }
    at += (size_t)sprintf(text + at, "%s\n", name[label]);
    to += (size_t)sprintf(rows + to, "\n");
  }
  PetscCall(TextWrite(folder, "large.csv", text, path));
  PetscCall(Load(TEST_COMM, path, NULL, &ds));
  PetscCall(DataSetText(ds, &got));
  CHECK(!strcmp(got, rows), "numbers changed when they were read");
  PetscCall(ClassNames(ds, classes));
  CHECK(!strcmp(classes, "blue green red "), "classes '%s'", classes);
  PetscCall(PetscFree(got));
  PetscCall(PetscFree2(text, rows));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

/* Sets match by the names of their classes, not by their order in each file. */
static PetscErrorCode Agreement(const char folder[])
{
  char path[PETSC_MAX_PATH_LEN], *got;
  DataSet set[2];

  PetscFunctionBegin;
  PetscCall(TextWrite(folder, "train.csv", "1,a\n2,b\n3,c\n", path));
  PetscCall(Load(TEST_COMM, path, NULL, &set[0]));
  PetscCall(TextWrite(folder, "val.csv", "4,c\n5,b\n", path));
  PetscCall(Load(TEST_COMM, path, NULL, &set[1]));
  PetscCall(DataSetAgree(2, set));
  PetscCall(DataSetText(set[1], &got));
  CHECK(!strcmp(got, "2 0:4\n1 0:5\n"), "validation became '%s'", got);
  PetscCall(PetscFree(got));
  PetscCall(DataSetDestroy(&set[1]));
  PetscCall(TextWrite(folder, "val.csv", "4,d\n5,b\n", path));
  PetscCall(Load(TEST_COMM, path, NULL, &set[1]));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "label 'd' of", DataSetAgree(2, set));
  PetscCall(DataSetDestroy(&set[0]));
  PetscCall(TextWrite(folder, "train.csv", "1,0\n2,1\n", path));
  PetscCall(Load(TEST_COMM, path, NULL, &set[0]));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "are names, those of the training set", DataSetAgree(2, set));
  PetscCall(DataSetDestroy(&set[0]));
  PetscCall(DataSetDestroy(&set[1]));
  PetscFunctionReturn(0);
}

/* Which format a file is taken for. */
static PetscErrorCode Detection(const char folder[])
{
  const struct {
    const char *name, *text;
    DataSetFormat format;
  } file[] = {
      {"a.csv", "1 1:2\n", "csv"},
      {"a.TSV", "1\n2\n", "csv"},
      {"a.data", "1\n", "csv"},
      {"a", "1,2\n3,4\n", "csv"},
      {"a", "\n# x\n1;2\n3;4\n", "csv"},
      {"a", "1\t2\n3\t4\n", "csv"},
      {"a", "1 1:2\n", "svmlight"},
      {"a", "1\t1:2\n", "svmlight"},
      {"a", "1 # a, b\n2\n", "svmlight"},
      {"a", "1\t\n2\t\n", "svmlight"},
      {"a", "1\n2,3\n", "svmlight"},
      {"a", "1 qid:3,1 2:2\n", "svmlight"},
      {"a", "# 1,2\n1 2:3\n", "svmlight"},
  };
  char path[PETSC_MAX_PATH_LEN], format[64];

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
    PetscCall(TextWrite(folder, file[i].name, file[i].text, path));
    PetscCall(DataSetDetectFormat_Private(TEST_COMM, path, format, sizeof(format)));
    CHECK(!strcmp(format, file[i].format), "%s with '%s' is taken for %s", file[i].name, file[i].text,
          format);
  }
  PetscFunctionReturn(0);
}

/* A valid file cut anywhere either loads or is refused. */
static PetscErrorCode Truncations(const char folder[])
{
  const char *const text =
      "\xEF\xBB\xBFone,\"two\"\"s\",label\r\n1,\"2.5e-3\",\"a b\"\r\n\r\n-3, .25 ,\"c\"\"d\"\n5,6,x";
  const size_t length = strlen(text);
  char path[PETSC_MAX_PATH_LEN];
  DataSet ds;

  PetscFunctionBegin;
  for (size_t n = 0; n <= length; n++) {
    PetscCall(FileWrite(folder, "cut.csv", text, n, path));
    PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
    const int raised = (int)Load(TEST_COMM, path, NULL, &ds);
    PetscCall(PetscPopErrorHandler());
    CHECK(!raised || raised == PETSC_ERR_FILE_UNEXPECTED, "cut after %d bytes: error %d", (int)n, raised);
    CHECK(n < length || !raised, "the whole file was refused");
    PetscCall(DataSetDestroy(&ds));
  }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(FolderCreate(folder));
  PetscCall(Literals(folder));
  PetscCall(Columns(folder));
  PetscCall(BadLines(folder));
  PetscCall(BadFiles(folder));
  PetscCall(Entries(folder));
  PetscCall(Agreement(folder));
  PetscCall(Detection(folder));
  PetscCall(Truncations(folder));
  PetscCall(PetscOptionsClear(NULL));
  PetscCall(FolderRemove(folder));
  PetscCall(TestFinalize());
  return 0;
}
