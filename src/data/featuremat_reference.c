/* The reference kernel: X^T as MPIAIJ with rows distributed by features, block products by MatCreateMAIJ().
   With features distributed a product moves n c numbers between ranks and never p c. */
#include <petscmat.h>
#include <twofold/impl/featurematimpl.h>

typedef struct {
  Mat Xt;                 /* p x n */
  Mat Xt_c;               /* Xt (x) I_c on interlaced vectors */
  Mat squared, squared_c; /* likewise of the squares of the entries; NULL until asked for */
} Reference;

static PetscErrorCode Reset(Reference *ref)
{
  PetscFunctionBegin;
  Mat *const mats[] = {&ref->Xt_c, &ref->Xt, &ref->squared_c, &ref->squared};
  for (int i = 0; i < 4; i++) PetscCall(MatDestroy(mats[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatSetData_Reference(FeatureMat X, DataSet ds, PetscBool bias)
{
  Reference *ref = (Reference *)X->data;
  const PetscInt plocal = X->features->n;
  PetscInt nentries, *i, *j;
  PetscScalar *a;
  FeatureMatEntry *entry;

  PetscFunctionBegin;
  PetscCall(Reset(ref));
  PetscCall(FeatureMatDeal_Private(X, ds, bias, PetscObjectComm((PetscObject)X), FeatureMatOwner_Private,
                                   &nentries, &entry));
  PetscCall(PetscCalloc1(plocal + 2, &i));
  PetscCall(PetscMalloc2(nentries + 1, &j, nentries + 1, &a));
  /* counting sort by feature; it is stable, so columns increase in each row */
  for (PetscInt k = 0; k < nentries; k++) i[entry[k].feature - X->features->rstart + 2]++;
  for (PetscInt row = 0; row < plocal; row++) i[row + 2] += i[row + 1];
  for (PetscInt k = 0; k < nentries; k++) {
    const PetscInt at = i[entry[k].feature - X->features->rstart + 1]++;
    j[at] = entry[k].sample;
    a[at] = entry[k].value;
  }
  PetscCall(PetscFree(entry));
  PetscCall(MatCreateMPIAIJWithArrays(PetscObjectComm((PetscObject)X), plocal, X->samples->n, X->p, X->n, i,
                                      j, a, &ref->Xt));
  PetscCall(MatCreateMAIJ(ref->Xt, X->c, &ref->Xt_c));
  PetscCall(PetscFree(i));
  PetscCall(PetscFree2(j, a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatMult_Reference(FeatureMat X, Vec W, Vec Z)
{
  PetscFunctionBegin;
  PetscCall(MatMultTranspose(((Reference *)X->data)->Xt_c, W, Z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatMultTranspose_Reference(FeatureMat X, Vec R, Vec G)
{
  PetscFunctionBegin;
  PetscCall(MatMult(((Reference *)X->data)->Xt_c, R, G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Squares the stored entries of a sequential matrix. */
static PetscErrorCode SquareEntries(Mat A)
{
  PetscScalar *a;
  MatInfo info;

  PetscFunctionBegin;
  PetscCall(MatGetInfo(A, MAT_LOCAL, &info));
  PetscCall(MatSeqAIJGetArray(A, &a));
  for (PetscInt k = 0; k < (PetscInt)info.nz_used; k++) a[k] *= a[k];
  PetscCall(MatSeqAIJRestoreArray(A, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatMultTransposeSquared_Reference(FeatureMat X, Vec R, Vec G)
{
  Reference *ref = (Reference *)X->data;
  Mat own, others;

  PetscFunctionBegin;
  if (!ref->squared) {
    PetscCall(MatDuplicate(ref->Xt, MAT_COPY_VALUES, &ref->squared));
    PetscCall(MatMPIAIJGetSeqAIJ(ref->squared, &own, &others, NULL));
    PetscCall(SquareEntries(own));
    PetscCall(SquareEntries(others));
    PetscCall(MatCreateMAIJ(ref->squared, X->c, &ref->squared_c));
  }
  PetscCall(MatMult(ref->squared_c, R, G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatGetMemory_Reference(FeatureMat X, PetscLogDouble *bytes)
{
  const Reference *ref = (Reference *)X->data;
  MatInfo info;

  PetscFunctionBegin;
  PetscCall(MatGetInfo(ref->Xt, MAT_LOCAL, &info));
  *bytes = info.nz_used * (PetscLogDouble)(sizeof(PetscScalar) + sizeof(PetscInt)) +
           (PetscLogDouble)X->features->n * 2 * sizeof(PetscInt);
  if (ref->squared) *bytes *= 2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FeatureMatDestroy_Reference(FeatureMat X)
{
  Reference *ref = (Reference *)X->data;

  PetscFunctionBegin;
  PetscCall(Reset(ref));
  PetscCall(PetscFree(X->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FeatureMatCreate_Reference(FeatureMat X)
{
  Reference *ref;

  PetscFunctionBegin;
  PetscCall(PetscNew(&ref));
  X->data = ref;
  X->ops->setdata = FeatureMatSetData_Reference;
  X->ops->mult = FeatureMatMult_Reference;
  X->ops->multtranspose = FeatureMatMultTranspose_Reference;
  X->ops->multtransposesquared = FeatureMatMultTransposeSquared_Reference;
  X->ops->memory = FeatureMatGetMemory_Reference;
  X->ops->destroy = FeatureMatDestroy_Reference;
  PetscFunctionReturn(PETSC_SUCCESS);
}
