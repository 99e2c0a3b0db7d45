/* Median time of reading a data set, in ms:

     mpirun -n 2 bench-readers -bench_file data/20news [-bench_runs 5] [-data_format text]

   readers.sh beside this file makes a table of it. Not a test: nothing is judged. */
#include "bench.h"

static PetscErrorCode Load(void *path)
{
  DataSet ds;

  PetscFunctionBegin;
  PetscCall(DataSetCreate(PETSC_COMM_WORLD, &ds));
  PetscCall(DataSetSetFromOptions(ds));
  PetscCall(DataSetLoad(ds, path));
  PetscCall(DataSetDestroy(&ds));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char path[PETSC_MAX_PATH_LEN] = "";
  PetscInt runs = 5;

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-bench_file", path, sizeof(path), NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &runs, NULL));
  PetscCheck(path[0] && runs > 0, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "bench-readers -bench_file FILE [-bench_runs N]: a file or folder, and at least one run");
  PetscCall(BenchMeasure(Load, path, "load", runs));
  PetscCall(TwofoldFinalize());
  return 0;
}
