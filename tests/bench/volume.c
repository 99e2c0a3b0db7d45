/* Products of a problem's feature matrix, for whoever counts what they move (volume.sh):

     mpirun -n 4 bench-volume -volume_pairs 10 -blp_data synthetic_text [-data_grid 2,2]

   makes that many products X W and as many X^T R, and tells the bytes that all ranks together send for a pair
   by the model of docs/scaling.md. */
#include <twofold.h>

static PetscErrorCode Pair(FeatureMat X, Vec W, Vec Z, Vec G)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatMult(X, W, Z));
  PetscCall(FeatureMatMultTranspose(X, Z, G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscInt pairs = 1, n, p, c, Pr, Pc;
  FeatureMat X;
  BLP blp;
  Vec W, Z, G;

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-volume_pairs", &pairs, NULL));
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &blp));
  PetscCall(BLPSetFromOptions(blp));
  PetscCall(BLPSetUp(blp));
  PetscCall(BLPGetFeatureMat(blp, BLP_TRAIN, &X));
  PetscCheck(X, PETSC_COMM_WORLD, PETSC_ERR_SUP, "the problem has no feature matrix: use -blp_type softmax");
  PetscCall(FeatureMatCreateVecs(X, &W, &Z));
  PetscCall(VecDuplicate(W, &G));
  PetscCall(TwofoldVecSetRandomNormal(W, 1));
  for (PetscInt i = 0; i < pairs; i++) PetscCall(Pair(X, W, Z, G));
  PetscCall(FeatureMatGetSizes(X, &n, &p, &c));
  PetscCall(FeatureMatGetGrid(X, &Pr, &Pc));
  PetscCall(PetscPrintf(
      PETSC_COMM_WORLD, "grid %" PetscInt_FMT " x %" PetscInt_FMT ", model %.0f bytes\n", Pr, Pc,
      2.0 * sizeof(PetscScalar) * (double)c * ((double)p * (double)(Pr - 1) + (double)n * (double)(Pc - 1))));
  PetscCall(VecDestroy(&W));
  PetscCall(VecDestroy(&Z));
  PetscCall(VecDestroy(&G));
  PetscCall(BLPDestroy(&blp));
  PetscCall(TwofoldFinalize());
  return 0;
}
