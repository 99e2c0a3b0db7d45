/* ||X|| by Lanczos' method. The products take blocks of c columns; the vectors here are one of them, and the
   others stay 0. */
#include <twofold/impl/featurematimpl.h>

typedef struct {
  FeatureMat X;
  Vec W, Z;
  PetscBool by_features; /* X^T X, else X X^T */
  PetscInt products;
} Gram;

/* Column 0 of an interlaced block <- x. */
static PetscErrorCode SetColumn(Vec x, PetscInt c, Vec block)
{
  const PetscScalar *a;
  PetscScalar *b;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecZeroEntries(block));
  PetscCall(VecGetArray(block, &b));
  for (PetscInt i = 0; i < n; i++) b[i * c] = a[i];
  PetscCall(VecRestoreArray(block, &b));
  PetscCall(VecRestoreArrayRead(x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetColumn(Vec block, PetscInt c, Vec x)
{
  const PetscScalar *b;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(block, &b));
  PetscCall(VecGetArrayWrite(x, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = b[i * c];
  PetscCall(VecRestoreArrayWrite(x, &a));
  PetscCall(VecRestoreArrayRead(block, &b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Gram(Mat A, Vec x, Vec y)
{
  Gram *gram;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &gram));
  const FeatureMat X = gram->X;
  if (gram->by_features) {
    PetscCall(SetColumn(x, X->c, gram->W));
    PetscCall(FeatureMatMult(X, gram->W, gram->Z));
    PetscCall(FeatureMatMultTranspose(X, gram->Z, gram->W));
    PetscCall(GetColumn(gram->W, X->c, y));
  } else {
    PetscCall(SetColumn(x, X->c, gram->Z));
    PetscCall(FeatureMatMultTranspose(X, gram->Z, gram->W));
    PetscCall(FeatureMatMult(X, gram->W, gram->Z));
    PetscCall(GetColumn(gram->Z, X->c, y));
  }
  gram->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ComputeNorm(FeatureMat X)
{
  const TwofoldSpectral how = {.tol = 1e-12, .max_products = 1000, .seed = 1};
  Gram gram = {.X = X, .by_features = (PetscBool)(X->p <= X->n)};
  const PetscLayout rows = gram.by_features ? X->features : X->samples;
  TwofoldConstant square;
  Mat A;

  PetscFunctionBegin;
  PetscCall(FeatureMatCreateVecs(X, &gram.W, &gram.Z));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)X), rows->n, rows->n, rows->N, rows->N, &gram, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))MatMult_Gram));
  PetscCall(TwofoldEigenvalue(A, TWOFOLD_LARGEST, &gram.products, 0, NAN, &how, &square));
  PetscCall(MatDestroy(&A));
  PetscCall(VecDestroy(&gram.W));
  PetscCall(VecDestroy(&gram.Z));
  const PetscReal ritz = PetscSqrtReal(PetscMax(square.value, 0));
  X->norm = square;
  X->norm.value = PetscSqrtReal(PetscMax(square.value, 0) + square.error);
  X->norm.error = X->norm.value - ritz;
  X->norm.origin = "Lanczos on X^T X or X X^T, its residual added";
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatGetNorm(FeatureMat X, TwofoldConstant *norm)
{
  PetscFunctionBegin;
  PetscCheck(X->features, PetscObjectComm((PetscObject)X), PETSC_ERR_ARG_WRONGSTATE,
             "FeatureMatSetData() first");
  if (X->norm.standing == TWOFOLD_UNKNOWN) PetscCall(ComputeNorm(X));
  *norm = X->norm;
  PetscFunctionReturn(PETSC_SUCCESS);
}
