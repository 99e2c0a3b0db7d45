/* twofold data: reads a data set in any format, prints what is in it, writes it in another format or split.
 */
#include <petsctime.h>
#include <string.h>
#include "cli.h"

typedef struct {
  PetscBool quiet;
  char input[PETSC_MAX_PATH_LEN], output[PETSC_MAX_PATH_LEN];
  DataSetSplitRule split;
} DataOptions;

static PetscErrorCode ReadOptions(DataOptions *o)
{
  PetscInt seed = 0;

  PetscFunctionBegin;
  *o = (DataOptions){0};
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: data", "twofold");
  PetscCall(PetscOptionsString("-data_input", "File, or folder of a text corpus", "twofold", o->input,
                               o->input, sizeof(o->input), NULL));
  PetscCall(PetscOptionsString("-data_output", "File to write: .bin PETSc binary, .h5 HDF5, else SVMLight",
                               "twofold", o->output, o->output, sizeof(o->output), NULL));
  PetscCall(PetscOptionsString("-data_split", "Write parts: third, bydate, or fractions such as 0.6,0.2,0.2",
                               "twofold", o->split.kind, o->split.kind, sizeof(o->split.kind), NULL));
  PetscCall(PetscOptionsInt("-data_seed", "Key of the random split", "twofold", seed, &seed, NULL));
  PetscCall(PetscOptionsBool("-data_stratified", "Split each class by itself", "twofold", o->split.stratified,
                             &o->split.stratified, NULL));
  PetscOptionsEnd();
  o->split.seed = seed;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* OUT.svm -> OUT.train.svm */
static PetscErrorCode PartPath(const char output[], const char part[], char path[], size_t len)
{
  const char *slash = strrchr(output, '/');
  const char *dot = strrchr(slash ? slash : output, '.');
  const int stem = dot ? (int)(dot - output) : (int)strlen(output);

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, len, "%.*s.%s%s", stem, output, part, dot ? dot : ""));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Write(DataSet ds, const char path[], PetscBool quiet)
{
  PetscFunctionBegin;
  PetscCall(DataSetWrite(ds, path));
  if (!quiet) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "wrote %s\n", path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SplitAndWrite(DataSet ds, const DataOptions *o)
{
  const char *const names[] = {"train", "val", "test"};
  char path[PETSC_MAX_PATH_LEN];
  DataSet part[3];

  PetscFunctionBegin;
  PetscCall(DataSetSplit(ds, &o->split, part));
  for (int m = 0; m < 3; m++) {
    if (!part[m]) continue;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "part %s:\n", names[m]));
    PetscCall(DataSetView(part[m], PETSC_VIEWER_STDOUT_WORLD));
    if (o->output[0]) {
      PetscCall(PartPath(o->output, names[m], path, sizeof(path)));
      PetscCall(Write(part[m], path, o->quiet));
    }
    PetscCall(DataSetDestroy(&part[m]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandData(int *code)
{
  CliCommon common;
  DataOptions options;
  DataSet ds;
  PetscLogDouble begin, end;

  PetscFunctionBegin;
  (void)code;
  PetscCall(CliCommonFromOptions(&common, NULL));
  PetscCall(ReadOptions(&options));
  options.quiet = common.quiet;
  PetscCall(DataSetCreate(PETSC_COMM_WORLD, &ds));
  PetscCall(DataSetSetFromOptions(ds));
  if (common.help) {
    PetscCall(CliHelpPrint(common.help_all));
    PetscCall(DataSetDestroy(&ds));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CliRefuseUnusedOptions());
  PetscCheck(options.input[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "no data: give -data_input FILE");
  PetscCall(PetscTime(&begin));
  PetscCall(DataSetLoad(ds, options.input));
  PetscCall(PetscTime(&end));
  PetscCall(DataSetView(ds, PETSC_VIEWER_STDOUT_WORLD));
  if (!common.quiet) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "read in %.3f s\n", end - begin));
  if (options.split.kind[0])
    PetscCall(SplitAndWrite(ds, &options));
  else if (options.output[0])
    PetscCall(Write(ds, options.output, options.quiet));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(PETSC_SUCCESS);
}
