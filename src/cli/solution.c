/* solution.h5: lambda and w, and what makes them a model that `twofold predict` applies. */
#include <petscviewerhdf5.h>
#include "cli.h"

PetscErrorCode CliWriteSolution(RunDir dir, BLP blp, HG hg, Vec lambda, Vec best)
{
  PetscViewer viewer;
  PetscInt F, nlambda, nw;
  State x;

  PetscFunctionBegin;
  PetscCall(BLPGetFolds(blp, &F, NULL, NULL, NULL));
  PetscCall(PetscObjectSetName((PetscObject)lambda, "lambda"));
  PetscCall(BLPGetSizes(blp, &nlambda, &nw));
  PetscCall(RunDirCheckRoom(dir, "solution.h5",
                            (PetscInt64)sizeof(PetscScalar) * (nlambda * (best ? 2 : 1) + (F ? 0 : nw))));
  PetscCall(RunDirOpenHDF5(dir, "solution.h5", &viewer));
  PetscCall(VecView(lambda, viewer));
  if (best) {
    PetscCall(PetscObjectSetName((PetscObject)best, "lambda_best"));
    PetscCall(VecView(best, viewer));
  }
  if (!F) { /* the w of folds are not of all samples */
    PetscCall(HGGetState(hg, &x));
    PetscCall(PetscObjectSetName((PetscObject)x->v[0], "w"));
    PetscCall(VecView(x->v[0], viewer));
    PetscCall(BLPSaveModel(blp, viewer));
  }
  PetscCall(RunDirCommitHDF5(dir, "solution.h5", &viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}
